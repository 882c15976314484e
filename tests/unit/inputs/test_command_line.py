"""Training commands as people have them, and the studies that they become."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sweeper.errors import InvalidInput
from sweeper.inputs.command_line import TrainingCommand, read_command
from sweeper.inputs.shell_words import without_lost_ends

GUIDE = (
    r"mlagents-learn Config\Car_ppo.yaml --run-id=car_v0 --force --num-envs=4 --env-path=..\Builds\AutonomousRacer.exe"
)
CAR = TrainingCommand(
    "mlagents-learn", "Config/Car_ppo.yaml", "../Builds/AutonomousRacer.exe", {"num_envs": 4},
    decided=("--run-id", "--force"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GUIDE, CAR),
        (GUIDE.replace("=", " "), CAR),
        ("mlagents-learn car.yaml", TrainingCommand("mlagents-learn", "car.yaml")),
        (
            "mlagents-learn 'my car.yaml' --env '/opt/My Game/Game' --num-areas 8 --time-scale 20 --no-graphics",
            TrainingCommand(
                "mlagents-learn", "my car.yaml", "/opt/My Game/Game", {"num_areas": 8},
                {"time_scale": 20.0, "no_graphics": True},
            ),
        ),
        (
            "python -m mlagents.trainers.learn car.yaml --torch-device cuda --initialize-from old --env-args --level 3",
            TrainingCommand(
                "mlagents-learn", "car.yaml", env_args=("--level", "3"), initialize_from="old",
                torch_device="cuda",
            ),
        ),
        (r"C:\venv\Scripts\mlagents-learn.exe a.yaml", TrainingCommand("C:/venv/Scripts/mlagents-learn.exe", "a.yaml")),
    ],
)  # fmt: skip
def test_a_command_is_read_in_either_spelling(text, expected):
    assert read_command(text)[0] == expected


@pytest.mark.parametrize(
    ("name", "script"),
    [
        (
            "train_model_parallel.bat",
            "@echo off\r\nREM mlagents-learn old.yaml\r\nset ENVS=4\r\ncall venv\\Scripts\\activate\r\n"
            "cd /d ..\\work\r\n"
            "mlagents-learn Config\\Car_ppo.yaml --run-id=car_v0 --force ^\r\n    --num-envs=%ENVS% ^\r\n"
            "    --env-path=..\\Builds\\AutonomousRacer.exe\r\npause\r\n",
        ),
        (
            "train.sh",
            "#!/bin/sh\nENVS=4\ncd ../work\n# mlagents-learn old.yaml\necho mlagents-learn starts\n"
            'mlagents-learn Config/Car_ppo.yaml --num-envs="$ENVS" \\\n  --env=../Builds/AutonomousRacer.exe\n',
        ),
        (
            "train.ps1",
            "$ENVS = 4\nSet-Location ../work\nmlagents-learn Config\\Car_ppo.yaml --num-envs=$ENVS `\n"
            "  --env=..\\Builds\\AutonomousRacer.exe\n",
        ),
    ],
)
def test_a_script_is_read_with_its_variables_and_where_it_goes(tmp_path, name, script):
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / name).write_bytes(script.encode())
    found, place = read_command(str(folder / name))
    assert (found.config, found.env_path, dict(found.baseline)) == (CAR.config, CAR.env_path, {"num_envs": 4})
    assert place.resolve() == (tmp_path / "work").resolve()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tensorboard --logdir results", "no mlagents-learn"),
        ("mlagents-learn --env=Build", "names no trainer config"),
        ("mlagents-learn car.yaml --num-envs=many", "takes a number, not 'many'"),
        ("mlagents-learn 'car.yaml", "a quote in it has no end"),
        ("gone.bat", "No such file"),
    ],
)
def test_what_is_no_command_is_refused_in_a_line(text, said):
    with pytest.raises(InvalidInput, match=said):
        read_command(text)


C = "Config/Car_ppo.yaml"
RUN = f"mlagents-learn {C} --env=B"


def said(folder: Path, name: str, script: str | bytes) -> TrainingCommand:
    (folder / name).write_bytes(script if isinstance(script, bytes) else script.encode())
    found, place = read_command(str(folder / name))
    assert place == folder
    return found


@pytest.mark.parametrize(
    ("name", "script", "num_envs"),
    [
        ("trailing.bat", f"set OUT=results\\\r\nset N=4\r\n{RUN} --num-envs=%N%\r\n", 4),
        ("case.bat", f"set num_envs=3\r\n{RUN} --num-envs=%NUM_ENVS%", 3),
        ("delayed.bat", f"set \"N=3\"\r\n{RUN} --num-envs=!n!", 3),
        ("number.bat", f"set /a N=8\r\n{RUN} --num-envs=%N%", 8),
        ("x86.bat", f"set P=C:\\Program Files (x86)\\Unity;%PATH%\r\nset N=2\r\n{RUN} --num-envs=%N%", 2),
        ("call.bat", f"set CMD={RUN} --num-envs 5\r\necho %CMD%\r\ncall %CMD%\r\n", 5),
        ("start.bat", f'start "mlagents-learn" cmd /c "activate x & {RUN} --num-envs=2 & pause"', 2),
        ("where.bat", f"where mlagents-learn >nul 2>nul\r\ntitle my mlagents-learn a.yaml\r\n{RUN} --num-envs=2", 2),
        ("if.bat", f"if errorlevel 1 (\r\necho no mlagents-learn here\r\n)\r\n({RUN} --num-envs=2)", 2),
        ("missing.bat", f"if not exist B echo mlagents-learn a.yaml\r\nif exist B call {RUN} --num-envs=2", 2),
        ("quiet.bat", f"@set N=4\r\n@if exist B @{RUN} --num-envs=%N%", 4),
        ("called.bat", f"@ call {RUN} --num-envs=2", 2),
        ("started.bat", f'@start "a title" /wait {RUN} --num-envs=2', 2),
        ("default.sh", f'N=${{N:-8}}\n{RUN} --num-envs="${{N:-1}}"', 8),
        ("array.sh", f'A=({C} --env B\n  --num-envs 4)\nA+=(--num-areas 1)\nexec mlagents-learn "${{A[@]}}"', 4),
        ("noted.sh", f"A=(\n  --env B # the build\n  --num-envs 4\n)\nmlagents-learn {C} ${{A[@]}}", 4),
        ("face.bat", f"if errorlevel 1 (\n  echo Failed :(\n)\nset N=4\n{RUN} --num-envs=%N%", 4),
        ("eval.sh", f'N=4\nCOMMAND="{RUN} --num-envs $N"\neval $COMMAND', 4),
        ("grown.sh", f'ARGS="{C} --env=B"\nARGS+=" --num-envs 4"\nmlagents-learn $ARGS', 4),
        ("bash.sh", f"bash -lc '{RUN} --num-envs=4' > log &", 4),
        ("asked.sh", f"if ! command -v mlagents-learn &> /dev/null; then exit 1; fi\n{RUN} --num-envs=2; echo done", 2),
        ("which.sh", f'L=$(which mlagents-learn)\n"$L" {C} --env=B --num-envs=2', 2),
        ("here.sh", f"cat <<EOF\nmlagents-learn other.yaml\nEOF\n{RUN} --num-envs=2", 2),
        ("folder.sh", f'cd "$(cd "$(dirname "${{BASH_SOURCE[0]}}")" && pwd)"\n{RUN} --num-envs=2|tee x', 2),
        ("away.sh", f"(cd Config && ls)\n{RUN} --num-envs=2", 2),
        ("module.sh", f"python3 -m mlagents.trainers.learn {C} --env=B --num-envs=2", 2),
        ("quotes.ps1", f"$c = '{C}'\nmlagents-learn $c --env='B' --num-envs=2", 2),
        ("param.ps1", f"param([string]$C = '{C}', [int]$N = 4)\nmlagents-learn $c --env=B --num-envs=$N", 4),
        ("asks.ps1", f"if (-not (Get-Command mlagents-learn -ErrorAction Stop)) {{ throw }}\n{RUN} --num-envs=2", 2),
        ("splat.ps1", f"$n = 3\n$all = @(\n '{C}',\n '--env=B',\n \"--num-envs=$n\"\n)\n& mlagents-learn @all", 3),
        ("note.ps1", f"<# mlagents-learn old.yaml #>\nWrite-Host \"mlagents-learn\"\n{RUN} `\n  --num-envs=2", 2),
        ("wide.ps1", f"{RUN} --num-envs=2".encode("utf-16"), 2),
    ],
)  # fmt: skip
def test_a_script_says_what_its_shell_would_run(tmp_path, name, script, num_envs):
    found = said(tmp_path, name, script)
    assert (found.learner, found.config, found.env_path) == ("mlagents-learn", C, "B")
    assert found.baseline["num_envs"] == num_envs


@pytest.mark.parametrize(
    ("name", "script", "told"),
    [
        ("worked.bat", f"set N=4\nset /a N=N*2\n{RUN} --num-envs=%N%", "--num-envs is '%N%'"),
        ("asked.bat", f"set N=4\nset /p N=How many?\n{RUN} --num-envs=%N%", "--num-envs is '%N%'"),
        ("if.bat", f'set N=4\nif "%B%"=="" set N=8\n{RUN} --num-envs=%N%', "--num-envs is '%N%'"),
        ("many.bat", f'if "%1"=="" (set N=4) else if "%1"==a (set N=5) else (set N=6)\n{RUN} --num-envs %N%', "'%N%'"),
        ("talk.bat", f'set N=2\nif "%1"=="" echo (set N=4)\n{RUN} --num-envs=%N%', "--num-envs is '%N%'"),
        ("sub.bat", f'call :t 4\nexit /b\n:t\nset N=%1\nif "%N%"=="" set N=2\n{RUN} --num-envs=%N%', "is '%N%'"),
        ("nest.bat", f'if exist B (\nif "%1"=="" set N=4\n)\n{RUN} --num-envs=%N%', "--num-envs is '%N%'"),
        ("else.bat", f'if exist B (set N=4) else (set N=%1)\n{RUN} --num-envs=%N%', "--num-envs is '%N%'"),
        ("given.bat", f'set N=%1\nif not "%N%"=="" set N=4\n{RUN} --num-envs=%N%', "--num-envs is '%1'"),
        ("open.bat", f'set N=%1\nif "%N%"=="" set N=%2\n{RUN} --num-envs=%N%', "--num-envs is '%2'"),
        ("back.bat", f':a\nset N=%1\nif "%N%"=="" set N=4\n{RUN} --num-envs=%N%\ngoto a', "--num-envs is '%N%'"),
        ("jump.bat", f"set N=4\ngoto run\nset N=2\n:run\n{RUN} --num-envs=%N%", "--num-envs is '%N%'"),
        ("other.bat", f"set N=4\ncall settings.bat\n{RUN} --num-envs=%N%", "--num-envs is '%N%'"),
        ("each.bat", f"for %%n in (1 2) do {RUN} --num-envs=%%n", "--num-envs is '%%n'"),
        ("all.bat", "CALL mlagents-learn %*", "the trainer config is '%*'"),
        ("each.sh", f"n=1\nfor n in 1 2; do\n{RUN} --num-envs=$n\ndone", "--num-envs is '$n'"),
        ("maybe.sh", f"N=4\n[ -n \"$B\" ] && N=8\n{RUN} --num-envs=$N", "--num-envs is '$N'"),
        ("block.sh", f"N=4\nif [ -n \"$B\" ]; then N=8; fi\n{RUN} --num-envs=$N", "--num-envs is '$N'"),
        ("read.sh", f"N=4\nread N\n{RUN} --num-envs=$N", "--num-envs is '$N'"),
        ("sum.sh", f"N=4\nN=$((N*2))\n{RUN} --num-envs=$N", "--num-envs is '$((N*2))'"),
        ("sum.ps1", f"$N = 4\n$N = $N * 2\n{RUN} --num-envs=$N", "--num-envs is '$N'"),
        ("more.ps1", f"$N = 4\n$N++\n{RUN} --num-envs=$N", "--num-envs is '$N'"),
        ("function.sh", 'train() {\n  mlagents-learn "$1"\n}\ntrain a.yaml', "the trainer config is '$1'"),
        ("lost.sh", f"cd $WHERE\n{RUN}", "changes its folder"),
        ("branch.sh", f"if [ -d x ]; then cd x; fi\n{RUN}", "changes its folder"),
        ("grown.sh", f"A=(--env B)\n[ -z $B ] || A+=(--resume)\nmlagents-learn {C} \"${{A[@]}}\"", "'${A[@]}' says"),
        ("mode.bat", f"if exist x set MODE=--resume\n{RUN} %MODE%", "what '%MODE%' says"),
        ("tmux.sh", f"tmux new -d '{RUN}'", "cannot read how this starts mlagents-learn"),
        ("job.ps1", f"Start-Process mlagents-learn -ArgumentList '{C}'", "cannot read how this starts"),
        ("alias.sh", f"alias ml='{RUN}'\nml", "is named, but no line starts it"),
        ("help.sh", "mlagents-learn --help", "is named, but no line starts it"),
        ("empty.sh", "echo hello", "no mlagents-learn in it"),
    ],
)  # fmt: skip
def test_what_only_a_run_can_tell_is_refused_with_its_mend(tmp_path, name, script, told):
    (tmp_path / name).write_text(script)
    with pytest.raises(InvalidInput, match=re.escape(told)) as refused:
        read_command(str(tmp_path / name))
    assert "give the command itself: sweeper init --from" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("text", "learner", "around"),
    [
        (f".venv/bin/python -u -m mlagents.trainers.learn {C}", ".venv/bin/mlagents-learn", ()),
        (rf"venv\Scripts\python.exe -m mlagents.trainers.learn {C}", "venv/Scripts/mlagents-learn.exe", ()),
        (rf"C:\envs\x\python.exe -m mlagents.trainers.learn {C}", "C:/envs/x/Scripts/mlagents-learn.exe", ()),
        (f"py -3.10 -m mlagents.trainers.learn {C}", "mlagents-learn", ("py -3.10",)),
        (f"python ../x/mlagents-learn {C}", "../x/mlagents-learn", ()),
        (f"conda run -n ml mlagents-learn {C}", "mlagents-learn", ("conda run -n ml",)),
        (f"A=1 B=2 xvfb-run -a mlagents-learn {C}", "mlagents-learn", ("A=1", "B=2", "xvfb-run -a")),
        (f"export CUDA_VISIBLE_DEVICES=1; mlagents-learn {C}", "mlagents-learn", ("CUDA_VISIBLE_DEVICES=1",)),
        (f"$env:CUDA_VISIBLE_DEVICES=1; mlagents-learn {C}", "mlagents-learn", ("CUDA_VISIBLE_DEVICES=1",)),
        (f"export PATH=venv/bin:$PATH; mlagents-learn {C}", "mlagents-learn", ("PATH=venv/bin:$PATH",)),
        (f"conda activate ml && mlagents-learn {C}", "mlagents-learn", ("conda activate ml",)),
        (f"source gone/bin/activate; mlagents-learn {C}", "mlagents-learn", ("gone/bin/activate",)),
        (f"exec nohup mlagents-learn {C} &", "mlagents-learn", ("nohup",)),
    ],
)
def test_what_stands_before_the_learner_is_taken_or_named(text, learner, around):
    found = read_command(text)[0]
    assert (found.learner, found.around) == (learner, around)


@pytest.mark.parametrize(
    "lines",
    [
        'set N=%1\nif "%N%"=="" set N=4',
        'set N=%~1\r\n@IF "%N%" == "" (\r\n  SET N=4\r\n)',
        "set N=%1\nif not defined N set N=4",
        'if "%~1"=="" (set N=4) else (set N=%~1)',
        "set N=4\nif not [%1]==[] set N=%1",
        'if not "%1"=="" (\nset N=%1\n) else (\nset "N=4"\n)',
        'set N=4\nif "%N%"=="" set N=8',
    ],
)
def test_in_a_batch_file_an_argument_has_its_default(tmp_path, lines):
    assert said(tmp_path, "train.bat", f"{lines}\n{RUN} --num-envs=%N%").baseline == {"num_envs": 4}


@pytest.mark.parametrize("text", [f"@{RUN}", f"@call {RUN}", f"@start /b {RUN}", f"@echo off\n@{RUN}"])
def test_cmd_does_not_print_what_follows_an_at_sign(text):
    assert read_command(text)[0] == TrainingCommand("mlagents-learn", C, "B")


@pytest.mark.parametrize(
    "text",
    [
        r"mlagents-learn Config\Car_ppo.yaml ^ --env-path=..\B ^ --num-envs=4",
        r"mlagents-learn Config\Car_ppo.yaml `  --env-path=..\B ` --num-envs=4",
        r"mlagents-learn Config/Car_ppo.yaml \ --env-path=../B \   --num-envs=4",
        r'mlagents-learn ^ "Config\Car_ppo.yaml" --env "..\B" --num-envs=4',
    ],
)
def test_lines_that_were_joined_as_it_was_pasted_are_read(text):
    assert read_command(text)[0] == TrainingCommand("mlagents-learn", C, "../B", {"num_envs": 4})


def test_a_sign_between_quotes_or_after_a_move_is_no_lost_line_end():
    assert read_command(f"{RUN} --env-args 'a ^ b' \"c \\ d\"")[0].env_args == ("a ^ b", r"c \ d")
    assert without_lost_ends(r"cd \ && dir a\ \ b") == r"cd \ && dir a\ \ b"
    with pytest.raises(InvalidInput, match=r"'mlagents-learn Car\.yaml \^'; the line after \^ is missing"):
        read_command("mlagents-learn Car.yaml ^")


@pytest.mark.parametrize(("name", "sign"), [("a.sh", "\\"), ("a.ps1", "`")])
def test_a_sign_with_a_blank_behind_it_in_a_script_is_named(tmp_path, name, sign):
    with pytest.raises(InvalidInput, match=re.escape(f"as of a {sign} with a blank behind it")) as refused:
        said(tmp_path, name, f"mlagents-learn {C} {sign} --env=B")
    assert f"{sign} stands at the end of a line" in str(refused.value.hint)
    assert said(tmp_path, "a.bat", f"mlagents-learn {C} ^ --env=B ^ ").env_path == "B"


def test_words_are_shown_as_they_are_written():
    with pytest.raises(InvalidInput, match=re.escape(r"what 'Config\b.yaml' is")):
        read_command(r"mlagents-learn a.yaml Config\b.yaml")
    with pytest.raises(InvalidInput, match=re.escape(r"learn: 'tmux new -d mlagents-learn.exe Config\a.yaml'")):
        read_command(r'tmux new -d "mlagents-learn.exe Config\a.yaml"')


def test_an_activated_environment_gives_its_learner(tmp_path):
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "mlagents-learn").touch()
    found = said(tmp_path, "train.sh", f". venv/bin/activate\n{RUN}")
    assert (found.learner, found.around) == ((tmp_path / "venv/bin/mlagents-learn").as_posix(), ())
    assert said(tmp_path, "left.sh", f". venv/bin/activate\ndeactivate\n{RUN}").learner == "mlagents-learn"


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("--env-args --x 1 > log.txt 2>&1", {"env_args": ("--x", "1")}),
        ("--env-args --x '1;2' | tee log", {"env_args": ("--x", "1;2")}),
        ("--time-s 20 2>err.txt&", {"engine": {"time_scale": 20.0}}),
        ("--no-graphics-monitor --train --worker-id=3", {"left_out": ("--no-graphics-monitor", "--worker-id")}),
        ("--plugin-flag 7", {"left_out": ("--plugin-flag",)}),
        ('$MORE "$@"', {"open": ("$MORE", "$@")}),
        (
            "--results-dir=runs --initialize-from old",
            {"results_dir": "runs", "initialize_from": "old", "decided": ("--results-dir",)},
        ),
        ("--base-port 6000 --seed 3", {"decided": ("--base-port", "--seed")}),
        ("--torch-device=cuda:0", {"torch_device": "cuda:0"}),
        ("--torch-device $GPU", {"left_out": ("--torch-device",)}),
        ("; mlagents-learn other.yaml", {"commands": 2}),
    ],
)
def test_what_follows_the_trainer_config(rest, expected):
    assert read_command(f"mlagents-learn a.yaml {rest}")[0] == TrainingCommand("mlagents-learn", "a.yaml", **expected)


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ("mlagents-learn a.yaml \u2013num-envs 4", "typographic dash or quote", "type - and"),
        ("mlagents-learn a.yaml --env=\u201cB\u201d", "typographic dash or quote", "type - and"),
        ("mlagents-learn a.yaml --time_scale 5", "the learner has no --time_scale", "write --time-scale"),
        ("mlagents-learn a.yaml --n 3", "--n may be --no-graphics", "write it out"),
        ("mlagents-learn a.yaml --num-envs", "--num-envs has no value", "leave it out"),
        ("mlagents-learn a.yaml --env= --num-envs 2", "--env has no value", "leave it out"),
        ("mlagents-learn a.yaml --num-envs 0", "a number above 0, not '0'", ""),
        ("mlagents-learn a.yaml --num-envs -3", "a number above 0, not '-3'", ""),
        ("mlagents-learn a.yaml --time-scale nan", "a number above 0, not 'nan'", ""),
        ("mlagents-learn a.yaml b.yaml", "what 'b.yaml' is", "give the command itself"),
        ("mlagents-learn --plugin a.yaml", "'a.yaml' is its value or the trainer config", "put the trainer config"),
    ],
)  # fmt: skip
def test_what_the_learner_would_refuse_is_refused(text, told, hint):
    with pytest.raises(InvalidInput, match=re.escape(told)) as refused:
        read_command(text)
    assert hint in (refused.value.hint or "")


@pytest.mark.parametrize("text", [f"!mlagents-learn {C}", f"$ mlagents-learn {C}", f"> mlagents-learn {C}"])
def test_what_notebooks_and_prompts_put_in_front_is_passed_over(text):
    assert read_command(text)[0] == TrainingCommand("mlagents-learn", C)


@pytest.mark.parametrize(
    "unit", ["<<A\n", "$(", "'", "(", "A=xx\nA+=$A$A\n", "eval ", "if ", "<#", '@"\n', "set A=%A%%A%\n"]
)
@pytest.mark.parametrize("suffix", [".sh", ".bat", ".ps1"])
def test_odd_scripts_are_refused_and_end(tmp_path, unit, suffix):
    (tmp_path / f"odd{suffix}").write_text(unit * (4000 // len(unit)))
    with pytest.raises(InvalidInput, match="no mlagents-learn in it"):
        read_command(str(tmp_path / f"odd{suffix}"))
    (tmp_path / f"large{suffix}").write_text(unit * 70000)
    with pytest.raises(InvalidInput, match="larger than 64 KiB"):
        read_command(str(tmp_path / f"large{suffix}"))


def test_a_file_that_is_no_script_is_named(tmp_path):
    (tmp_path / "Makefile").write_text(f"train:\n\t{RUN}\n")
    with pytest.raises(InvalidInput, match="its name does not say which shell reads it"):
        read_command(str(tmp_path / "Makefile"))


def test_a_command_that_goes_to_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_command("cd Training && mlagents-learn Car.yaml")[1] == tmp_path / "Training"
