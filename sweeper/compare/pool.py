from sweeper.compare.candidates import Candidate as Configuration, pool, ranked as leaders
