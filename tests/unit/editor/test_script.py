"""The Editor script: what it decides, compiled and run where a C# compiler is; and how it gets into a project."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from sweeper.app.editor_script import PLACE, install_script
from sweeper.editor import SCRIPT
from sweeper.errors import InvalidInput

STUBS = """
namespace UnityEngine { public static class Debug { public static void Log(object text) {} } }
namespace UnityEditor {
  public sealed class InitializeOnLoad : System.Attribute {}
  public sealed class MenuItem : System.Attribute { public MenuItem(string n, bool v = false) {} }
  public static class Menu { public static void SetChecked(string n, bool v) {} }
  public static class EditorPrefs { public static bool GetBool(string k, bool d) { return d; }
    public static void SetBool(string k, bool v) {} }
  public static class SessionState { public static bool GetBool(string k, bool d) { return d; }
    public static void SetBool(string k, bool v) {} public static int GetInt(string k, int d) { return d; }
    public static void SetInt(string k, int v) {} }
  public static class EditorApplication { public static double timeSinceStartup; public static bool isCompiling;
    public static bool isPlaying; public static bool isPlayingOrWillChangePlaymode;
    public static event System.Action update; static void Unused() { update(); } }
}
"""
DRIVER = """
public static class Driver {
  // Each argument is `p` or `-` (plays or not) and `l` or `-` (a learner listens or not); `port:N` looks at a port.
  public static void Main(string[] looks) {
    var decision = new Sweeper.AutoPlayDecision();
    foreach (var look in looks)
      if (look.StartsWith("port:"))
        System.Console.WriteLine(Sweeper.LearnerPort.IsListening(int.Parse(look.Substring(5))));
      else System.Console.WriteLine(decision.Next(look[0] == 'p', look[1] == 'l'));
  }
}
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    compiler, runtime = shutil.which("mcs"), shutil.which("mono")
    if compiler is None or runtime is None:
        pytest.skip("no C# compiler here (mono-mcs)")
    folder = tmp_path_factory.mktemp("editor")
    (folder / "Stubs.cs").write_text(STUBS)
    (folder / "Driver.cs").write_text(DRIVER)
    command = [compiler, "-warnaserror", "-define:UNITY_EDITOR", f"-out:{folder}/driver.exe"]
    subprocess.run(
        [*command, str(SCRIPT), f"{folder}/Stubs.cs", f"{folder}/Driver.cs"], check=True, capture_output=True
    )
    return [runtime, f"{folder}/driver.exe"]


def decided(driver: list[str], *looks: str) -> list[str]:
    done = subprocess.run([*driver, *looks], check=True, capture_output=True, text=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("looks", "actions"),
    [
        ("-- -- -l pl pl p- p- -- -l", "None None EnterPlayMode None None None LeavePlayMode None EnterPlayMode"),
        # A learner that is not seen once is still there.
        ("-l pl p- pl p- pl", "EnterPlayMode None None None None None"),
        # Somebody presses Stop: this learner is left alone, the next one is not.
        ("-l pl -l -l -- -- -l", "EnterPlayMode None None None None None EnterPlayMode"),
        # Somebody plays by himself: that is not ours to end.
        ("p- p- p- pl p- p-", "None None None None None None"),
    ],
)
def test_it_plays_while_a_learner_listens_and_fights_nobody(driver, looks, actions):
    assert decided(driver, *looks.split()) == actions.split()


def test_it_sees_a_listening_port_without_connecting(driver):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        assert decided(driver, f"port:{server.getsockname()[1]}") == ["True"]
        with pytest.raises(TimeoutError):
            server.accept()
        port = server.getsockname()[1]
    assert decided(driver, f"port:{port}") == ["False"]


def test_it_goes_into_a_project_once_and_overwrites_nothing(tmp_path: Path):
    for name in ("Assets", "ProjectSettings"):
        (tmp_path / name).mkdir()
    assert install_script(tmp_path) == (tmp_path / PLACE, True)
    assert install_script(tmp_path) == (tmp_path / PLACE, False)
    (tmp_path / PLACE).write_text("// mine")
    with pytest.raises(InvalidInput, match="nothing was overwritten"):
        install_script(tmp_path)
    assert (tmp_path / PLACE).read_text() == "// mine"


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path):
    with pytest.raises(InvalidInput, match="not the folder of a Unity project"):
        install_script(tmp_path)


@pytest.mark.parametrize("there", ["Assets/Editor", "Assets"])
def test_a_file_where_a_folder_belongs_is_named(tmp_path: Path, there: str) -> None:
    (tmp_path / "ProjectSettings").mkdir()
    if there != "Assets":
        (tmp_path / "Assets").mkdir()
    (tmp_path / there).write_text("")
    with pytest.raises(InvalidInput, match=r"is a file; nothing was written|not the folder of a Unity project"):
        install_script(tmp_path)
    assert (tmp_path / there).read_text() == ""
