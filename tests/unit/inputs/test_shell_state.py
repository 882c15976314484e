"""What is known at a line of a script: its variables, and where it is."""

from __future__ import annotations

import re

import pytest

from sweeper.errors import InvalidInput
from tests.helpers.commands import RUN, C, said


@pytest.mark.parametrize(
    ("name", "script", "num_envs"),
    [
        ("trailing.bat", f"set OUT=results\\\r\nset N=4\r\n{RUN} --num-envs=%N%\r\n", 4),
        ("case.bat", f"set num_envs=3\r\n{RUN} --num-envs=%NUM_ENVS%", 3),
        ("delayed.bat", f"set \"N=3\"\r\n{RUN} --num-envs=!n!", 3),
        ("number.bat", f"set /a N=8\r\n{RUN} --num-envs=%N%", 8),
        ("x86.bat", f"set P=C:\\Program Files (x86)\\Unity;%PATH%\r\nset N=2\r\n{RUN} --num-envs=%N%", 2),
        ("default.sh", f'N=${{N:-8}}\n{RUN} --num-envs="${{N:-1}}"', 8),
        ("array.sh", f'A=({C} --env B\n  --num-envs 4)\nA+=(--num-areas 1)\nexec mlagents-learn "${{A[@]}}"', 4),
        ("noted.sh", f"A=(\n  --env B # the build\n  --num-envs 4\n)\nmlagents-learn {C} ${{A[@]}}", 4),
        ("grown.sh", f'ARGS="{C} --env=B"\nARGS+=" --num-envs 4"\nmlagents-learn $ARGS', 4),
        ("quotes.ps1", f"$c = '{C}'\nmlagents-learn $c --env='B' --num-envs=2", 2),
        ("splat.ps1", f"$n = 3\n$all = @(\n '{C}',\n '--env=B',\n \"--num-envs=$n\"\n)\n& mlagents-learn @all", 3),
    ],
)  # fmt: skip
def test_a_variable_is_put_in(tmp_path, name, script, num_envs):
    found = said(tmp_path, name, script)
    assert (found.learner, found.config, found.env_path) == ("mlagents-learn", C, "B")
    assert found.baseline["num_envs"] == num_envs


@pytest.mark.parametrize(
    ("name", "script", "told"),
    [
        ("worked.bat", f"set N=4\nset /a N=N*2\n{RUN} --num-envs=%N%", "--num-envs is '%N%'"),
        ("asked.bat", f"set N=4\nset /p N=How many?\n{RUN} --num-envs=%N%", "--num-envs is '%N%'"),
        ("jump.bat", f"set N=4\ngoto run\nset N=2\n:run\n{RUN} --num-envs=%N%", "--num-envs is '%N%'"),
        ("other.bat", f"set N=4\ncall settings.bat\n{RUN} --num-envs=%N%", "--num-envs is '%N%'"),
        ("all.bat", "CALL mlagents-learn %*", "the trainer config is '%*'"),
        ("read.sh", f"N=4\nread N\n{RUN} --num-envs=$N", "--num-envs is '$N'"),
        ("sum.sh", f"N=4\nN=$((N*2))\n{RUN} --num-envs=$N", "--num-envs is '$((N*2))'"),
        ("sum.ps1", f"$N = 4\n$N = $N * 2\n{RUN} --num-envs=$N", "--num-envs is '$N'"),
        ("more.ps1", f"$N = 4\n$N++\n{RUN} --num-envs=$N", "--num-envs is '$N'"),
        ("grown.sh", f"A=(--env B)\n[ -z $B ] || A+=(--resume)\nmlagents-learn {C} \"${{A[@]}}\"", "'${A[@]}' says"),
    ],
)  # fmt: skip
def test_what_a_name_is_set_to_only_a_run_can_tell(tmp_path, name, script, told):
    with pytest.raises(InvalidInput, match=re.escape(told)) as refused:
        said(tmp_path, name, script)
    assert "give the command itself: sweeper init --from" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("name", "script", "told"),
    [
        ("lost.sh", f"cd $WHERE\n{RUN}", "changes its folder"),
    ],
)  # fmt: skip
def test_where_it_goes_only_a_run_can_tell(tmp_path, name, script, told):
    with pytest.raises(InvalidInput, match=re.escape(told)) as refused:
        said(tmp_path, name, script)
    assert "give the command itself: sweeper init --from" in str(refused.value.hint)
