"""What the learner says of itself, in its log."""

from __future__ import annotations

from sweeper.troubles.trouble import Trouble

SETUPTOOLS = Trouble(
    "pkg_resources",
    "No module named 'pkg_resources'",
    "setuptools 81 and later lack pkg_resources, which mlagents imports: the learner dies at start; mend it with: "
    'pip install "setuptools<81"',
    "No module named 'pkg_resources'",
    "ModuleNotFoundError: No module named 'pkg_resources'",
)
TORCH = Trouble(
    "onnxscript",
    "No module named 'onnxscript'",
    "torch 2.9 and later export ONNX through onnxscript, which conflicts with mlagents' onnx pin: training ends "
    'with an error and without its model (ml-agents #6250); mend it with: pip install "torch>=2.1.1,<2.9"',
    "No module named 'onnxscript'",
    "ModuleNotFoundError: No module named 'onnxscript'",
)
BY_THE_LEARNER = (
    SETUPTOOLS,
    TORCH,
    Trouble(
        "port",
        "The port is in use",
        "a port was taken: left-over players or another training hold it; end them",
        "UnityWorkerInUseException|worker number .* is still in use",
        "mlagents_envs.exception.UnityWorkerInUseException: Couldn't start socket communication because worker "
        "number 0 is still in use. You may need to manually close a previously opened environment or use a "
        "different worker number.",
        (" (ports were asked for from {base_port} on)",),
    ),
    Trouble(
        "behavior-name",
        "The behaviour's name is wrong",
        "the build has a behaviour named {0} that the trainer config does not name; add it under `behaviors:`, or "
        "write the same name under Behavior Parameters in Unity",
        "The behavior name (.*?) has not been specified in the trainer configuration",
        "mlagents.trainers.exception.TrainerConfigError: The behavior name My Behavior has not been specified in "
        "the trainer configuration. Please add an entry in the configuration file for My Behavior, or set "
        "default_settings.",
        (" (the trainer config names {behaviors})",),
    ),
    Trouble(
        "trainer-config",
        "The learner refuses the trainer config",
        "the learner refuses the trainer config: {0}",
        "TrainerConfigError: (.+)",
        "mlagents.trainers.exception.TrainerConfigError: The option gama was specified in your YAML file for "
        "PPOSettings, but is invalid.",
    ),
    Trouble(
        "no-gpu",
        "CUDA is asked for where there is none",
        "the learner is to use a GPU and finds none ({0}): set `torch_settings: {{device: cpu}}` in the trainer "
        "config, or give it a torch that is built for CUDA, NVIDIA's driver, and CUDA_VISIBLE_DEVICES that names a "
        "GPU",
        "Torch not compiled with CUDA enabled|No CUDA GPUs are available|Found no NVIDIA driver|no CUDA-capable "
        "device|CUDA driver version is insufficient|invalid device ordinal",
        "AssertionError: Torch not compiled with CUDA enabled",
    ),
    Trouble(
        "gpu-kernel",
        "CUDA finds no kernel image for this GPU",
        "this torch is not built for this GPU: install one that is",
        "no kernel image is available",
        "RuntimeError: CUDA error: no kernel image is available for execution on the device",
    ),
    Trouble(
        "gpu-memory",
        "Out of memory: the GPU's",
        "the GPU's memory is full: a smaller batch_size or network, or the CPU",
        "CUDA out of memory|OutOfMemoryError",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
        (" (batch_size was {batch_size})",),
    ),
    Trouble(
        "memory",
        "Out of memory: the machine's",
        "the machine ran out of memory: fewer environments, or a smaller buffer_size or batch_size",
        "MemoryError|Cannot allocate memory|WinError 1455",
        "OSError: [Errno 12] Cannot allocate memory",
        (" (num_envs was {num_envs}, and {peak} were in use at the peak)",),
    ),
    Trouble(
        "shared-memory",
        "Shared memory (/dev/shm) is full",
        "shared memory (/dev/shm) is full: give the container more, with --shm-size of docker run",
        "insufficient shared memory|/dev/shm",
        "RuntimeError: DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that dataloader's "
        "workers are out of shared memory: insufficient shared memory (shm)",
        (" (here it has {shm}, of which {shm_free} were free when the session had ended)",),
    ),
    Trouble(
        "disk",
        "The disk is full, and the file is named",
        "no space is left on the disk of {0}: free some there",
        "No space left on device: '([^']+)'",
        "OSError: [Errno 28] No space left on device: '/data/results/trial'",
    ),
    Trouble(
        "some-disk",
        "The disk is full, and no file is named",
        "no space is left on a disk that the learner writes to: the study folder's, the temporary folder's "
        "(TMPDIR), or /dev/shm",
        "No space left on device",
        "OSError: [Errno 28] No space left on device",
    ),
    Trouble(
        "quota",
        "The disk quota is used up",
        "your quota on a disk that the learner writes to is used up: free some, or write where there is room",
        "Disk quota exceeded",
        "OSError: [Errno 122] Disk quota exceeded: '/home'",
    ),
    Trouble(
        "open-files",
        "Too many open files",
        "the limit on open files is too low for so many environments: raise `ulimit -n`, or use fewer",
        "Too many open files",
        "OSError: [Errno 24] Too many open files",
        (" (here it is {open_files:,}, and num_envs was {num_envs})",),
    ),
    Trouble(
        "processes",
        "No more processes or threads can be started",
        "the limit on processes is reached: raise `ulimit -u`, or the container's limit",
        "can't start new thread|Resource temporarily unavailable",
        "BlockingIOError: [Errno 11] Resource temporarily unavailable",
    ),
    Trouble(
        "protobuf",
        "Descriptors cannot be created directly",
        'protobuf 3.21 and later do not read mlagents\' messages; mend it with: pip install "protobuf<3.21"',
        "Descriptors cannot (?:not )?be created directly",
        "TypeError: Descriptors cannot be created directly.",
    ),
    Trouble(
        "numpy",
        "module 'numpy' has no attribute 'float'",
        'numpy 1.24 and later lack numpy.{0}, which mlagents uses; mend it with: pip install "numpy>=1.23.5,<1.24"',
        "module 'numpy' has no attribute '(\\w+)'",
        "AttributeError: module 'numpy' has no attribute 'float'",
    ),
    Trouble(
        "trainer-thread",
        "A trainer thread died",
        "a trainer thread died and the run hung: see its exception; with threaded: false there is no such thread",
        "Exception in thread .*trainer_update_func",
        "Exception in thread Thread-2 (trainer_update_func):",
    ),
    Trouble(
        "python",
        "The learner's Python breaks",
        "the learner's Python broke ({0}): a package that does not fit it; see what `sweeper doctor` says of them",
        "Fatal Python error: (.+)",
        "Fatal Python error: Segmentation fault",
    ),
    Trouble(
        "threaded-cuda",
        "threaded with CUDA",
        "threaded: true does not work with CUDA in mlagents 1.1.0; use false",
        "Expected all tensors to be on the same device",
        "RuntimeError: Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!",
    ),
)
"""What the learner says of itself. What it says of players comes after that: whatever ends it ends them, too."""
