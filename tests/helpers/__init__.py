"""What tests of all rooms build their values with."""
