// Enters Play mode when an ML-Agents learner listens, and leaves it when that learner is gone, so that a study with
// `sweeper run` needs nobody to press Play. Written by `sweeper editor-script`; delete this file to be rid of it.
// Switch it off and on in the menu: Tools > Sweeper > Play when a learner listens.
//
// Compiled against stubs of the Unity types that it uses, and its decisions tested; not run in Unity by its authors.

using System.Linq;
using System.Net.NetworkInformation;

namespace Sweeper
{
    /// <summary>What to do next, from what is seen: whether the Editor plays, and whether a learner listens.</summary>
    public sealed class AutoPlayDecision
    {
        public enum Action { None, EnterPlayMode, LeavePlayMode }

        /// <summary>Looks in a row without a learner, after which it is gone.</summary>
        public const int LooksUntilGone = 2;

        /// <summary>Whether Play mode is our doing.</summary>
        public bool IsOurs;

        /// <summary>Whether somebody stopped what we had started: this learner is left alone then.</summary>
        public bool IsDeclined;

        public int LooksWithoutLearner;

        public Action Next(bool isPlaying, bool learnerListens)
        {
            LooksWithoutLearner = learnerListens ? 0 : LooksWithoutLearner + 1;
            bool isGone = LooksWithoutLearner >= LooksUntilGone;
            if (isGone)
            {
                IsDeclined = false;
            }
            if (isPlaying)
            {
                return IsOurs && isGone ? Action.LeavePlayMode : Action.None;
            }
            if (IsOurs)
            {
                IsOurs = false;
                IsDeclined = !isGone;
            }
            if (learnerListens && !IsDeclined)
            {
                IsOurs = true;
                return Action.EnterPlayMode;
            }
            return Action.None;
        }
    }

    /// <summary>Whether a learner listens: told by the system's list of listeners, without connecting to it.</summary>
    public static class LearnerPort
    {
        /// <summary>The port of the Editor; mlagents-learn has no other for it.</summary>
        public const int Editor = 5004;

        public static bool IsListening(int port)
        {
            return IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(found => found.Port == port);
        }
    }

#if UNITY_EDITOR
    [UnityEditor.InitializeOnLoad]
    public static class SweeperAutoPlay
    {
        const string Menu = "Tools/Sweeper/Play when a learner listens";
        const string On = "Sweeper.AutoPlay.On";
        const string Ours = "Sweeper.AutoPlay.Ours";
        const string Declined = "Sweeper.AutoPlay.Declined";
        const string Missed = "Sweeper.AutoPlay.Missed";
        const double LookSeconds = 0.5;

        static double nextLook;

        static SweeperAutoPlay()
        {
            UnityEditor.EditorApplication.update += Look;
        }

        static bool IsOn
        {
            get { return UnityEditor.EditorPrefs.GetBool(On, true); }
            set { UnityEditor.EditorPrefs.SetBool(On, value); }
        }

        [UnityEditor.MenuItem(Menu)]
        static void Toggle()
        {
            IsOn = !IsOn;
        }

        [UnityEditor.MenuItem(Menu, true)]
        static bool ShowWhetherOn()
        {
            UnityEditor.Menu.SetChecked(Menu, IsOn);
            return true;
        }

        static void Look()
        {
            double now = UnityEditor.EditorApplication.timeSinceStartup;
            bool isBetween = UnityEditor.EditorApplication.isPlayingOrWillChangePlaymode
                != UnityEditor.EditorApplication.isPlaying;
            if (!IsOn || now < nextLook || UnityEditor.EditorApplication.isCompiling || isBetween)
            {
                return;
            }
            nextLook = now + LookSeconds;
            // Entering Play mode reloads this code: what is known is kept where the Editor's session keeps it.
            var decision = new AutoPlayDecision
            {
                IsOurs = UnityEditor.SessionState.GetBool(Ours, false),
                IsDeclined = UnityEditor.SessionState.GetBool(Declined, false),
                LooksWithoutLearner = UnityEditor.SessionState.GetInt(Missed, 0),
            };
            var action = decision.Next(UnityEditor.EditorApplication.isPlaying, LearnerPort.IsListening(LearnerPort.Editor));
            UnityEditor.SessionState.SetBool(Ours, decision.IsOurs);
            UnityEditor.SessionState.SetBool(Declined, decision.IsDeclined);
            UnityEditor.SessionState.SetInt(Missed, decision.LooksWithoutLearner);
            if (action == AutoPlayDecision.Action.EnterPlayMode)
            {
                UnityEngine.Debug.Log("sweeper: a learner listens; entering Play mode.");
                UnityEditor.EditorApplication.isPlaying = true;
            }
            else if (action == AutoPlayDecision.Action.LeavePlayMode)
            {
                UnityEngine.Debug.Log("sweeper: the learner is gone; leaving Play mode.");
                UnityEditor.EditorApplication.isPlaying = false;
            }
        }
    }
#endif
}
