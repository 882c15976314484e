import subprocess
import sys
from pathlib import Path

import pytest

from sweeper.racer.options import EDITOR_PORT, Options, Work, parse


def test_defaults():
    assert parse([]) == Options(port=EDITOR_PORT, work=Work.SPIN)


def test_what_trainers_pass():
    options = parse(["-nographics", "-batchmode", "--mlagents-port", "5007", "-logFile", "/tmp/Player-0.log"])
    assert options == Options(port=5007, log_file=Path("/tmp/Player-0.log"))


def test_every_test_option():
    line = (
        "--step-ms 2.5 --work sleep --memory-mb 10 --leak-mb-per-s 0.5 --start-delay 3 --crash-after 7"
        " --hang-after 8 --fixed-areas 4 --ignore-sigterm -logfile x.log"
    )
    assert parse(line.split()) == Options(
        log_file=Path("x.log"),
        step_ms=2.5,
        work=Work.SLEEP,
        memory_mb=10,
        leak_mb_per_s=0.5,
        start_delay_seconds=3.0,
        crash_after=7,
        hang_after=8,
        fixed_areas=4,
        ignore_sigterm=True,
    )


def test_unknown_arguments_are_kept_for_the_log():
    options = parse(["-force-vulkan", "--quality", "3", "-hideWindow", "--step", "9", "--mlagents-port=6000", "level1"])
    assert options == Options(
        port=6000, ignored=("-force-vulkan", "--quality", "3", "-hideWindow", "--step", "9", "level1")
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--mlagents-port", "0"],
        ["--mlagents-port", "70000"],
        ["--mlagents-port", "five"],
        ["--step-ms", "-1"],
        ["--step-ms", "nan"],
        ["--step-ms", "inf"],
        ["--step-ms", "fast"],
        ["--step-ms"],
        ["--work", "hard"],
        ["--memory-mb", "-1"],
        ["--memory-mb", "1.5"],
        ["--leak-mb-per-s", "-0.1"],
        ["--start-delay", "soon"],
        ["--crash-after", "0"],
        ["--hang-after", "-4"],
        ["--fixed-areas", "0"],
        ["--fixed-areas", "99999999999999999999"],
    ],
)
def test_a_bad_value_is_one_line_and_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_info:
        parse(arguments)
    assert exit_info.value.code == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1 and arguments[0] in err


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(flag, capsys):
    with pytest.raises(SystemExit) as exit_info:
        parse([flag])
    assert exit_info.value.code == 0
    assert "--fixed-areas" in capsys.readouterr().out


def test_help_imports_nothing_heavy():
    code = (
        "import sys, sweeper.racer.__main__ as m\n"
        "try: m.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([n for n in ('numpy', 'grpc', 'mlagents_envs', 'asyncio') if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_the_player_imports_only_what_it_needs():
    code = (
        "import sys, sweeper.racer.player, sweeper.racer.connection\n"
        "bad = ('mlagents', 'torch', 'pandas', 'scipy', 'PIL', 'mlagents_envs.environment')\n"
        "print([n for n in bad if n in sys.modules], [n for n in sys.modules if n.startswith('sweeper.')\n"
        "      and not n.startswith('sweeper.racer')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
