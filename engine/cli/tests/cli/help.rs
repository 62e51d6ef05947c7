//! The help texts, whole.

use crate::Site;

fn help(words: &[&str]) -> String {
    let given = Site::new().run(words);
    assert_eq!((given.code, given.errors.as_str()), (0, ""));
    given.out
}

#[test]
fn of_haengine() {
    insta::assert_snapshot!(help(&["-h"]), @"
    Scripted high availability for Kubernetes control planes

    Usage: haengine [OPTIONS] <COMMAND>

    Commands:
      run          Run a recipe: make true on the hosts what it says
      plan         Show what a recipe would change, and touch nothing
      check        Check recipes without touching any host
      repl         Work on live hosts, a line after the other, in the language of recipes
      watch        Check and plan a recipe at each save, and show what changed in its plan
      resume       Go on with a run that failed, was interrupted or died
      undo         Take a run back: every host as it was before it
      runs         List what was run, newest first
      show         Show what a run did, change by change, and what of it can be taken back
      forget       Give up what the hosts keep for the undo of a run
      list         List the recipes that can be run by name
      describe     Describe a recipe and its parameters
      eject        Copy a stock recipe into the site's folder, to change it there
      init         Make a site's folder: an inventory, known hosts, a first recipe
      doc          Explain what recipes call, and what `check` finds
      completions  Print what makes a shell complete commands, recipes, parameters and hosts
      lab          Make throw-away real hosts on this machine, from an inventory

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Global options:
      -i, --inventory <FILE>  File with hosts and groups (can be repeated)
          --json              Write one JSON object a line to standard output, and nothing else
      -y, --yes               Answer every question with yes
          --state-dir <DIR>   Folder in which runs are kept
          --forks <N>         How many hosts are worked on at once [default: 50]
      -v, --verbose...        Tell also what did not change and what commands print; -vv logs internals

    Examples:
      haengine list                                       which recipes there are
      haengine plan time_sync -i site.yaml hosts=masters  what a recipe would change, with diffs
      haengine run time_sync -i site.yaml hosts=masters   make these changes
      haengine repl -i site.yaml                          look around on live hosts, line by line
      haengine resume RUN                                 go on with a run that died
      haengine undo RUN                                   every host as it was before the run

    Exit codes:
      0 done · 1 failed after something was changed · 2 refused, and nothing was touched
      3 a host cannot be reached, and nothing was touched · 4 changes are pending (plan --exit-code)
      5 another run holds the lock · 6 undone, but what is named was left or kept · 130 interrupted
    ");
}

#[test]
fn of_run() {
    insta::assert_snapshot!(help(&["run", "--help"]), @"
    Run a recipe: make true on the hosts what it says

    What is true already is left alone, so a recipe can be run again without harm. Each change is on
    disk before a host is touched; `haengine show` tells it and `haengine undo` takes it back. Ctrl-C
    ends the run in order, twice at once.

    Where the last run of the same recipe, with the same parameters and inventory, has failed or died
    after it changed something, you are asked whether to go on with it; without a terminal, or with
    --yes, that is what happens.

    Usage: haengine run [OPTIONS] <RECIPE> [KEY=VALUE]...

    Arguments:
      <RECIPE>
              A recipe's file, or the name of one that `haengine list` shows

      [KEY=VALUE]...
              The recipe's parameters (can be repeated)
              
              A secret is written as where it is found: env:NAME, file:PATH, age:PATH or prompt.

    Options:
          --anew
              Begin a new run, also where an unfinished one could be gone on with

          --on-error <WHAT>
              What a step that fails does; at a terminal you are asked
              
              With repl a session opens in which you look at the hosts, mend them, or edit the recipe;
              the run goes on with :retry.

              Possible values:
              - stop: It ends the run
              - repl: A session opens where the run stands

      -h, --help
              Print help (see a summary with '-h')

    Global options:
      -i, --inventory <FILE>
              File with hosts and groups (can be repeated)
              
              Later files win for defaults and variables, and add to groups.

          --json
              Write one JSON object a line to standard output, and nothing else

      -y, --yes
              Answer every question with yes

          --state-dir <DIR>
              Folder in which runs are kept
              
              The default is $HAENGINE_STATE_DIR, else $XDG_STATE_HOME/haengine.

          --forks <N>
              How many hosts are worked on at once
              
              [default: 50]

      -v, --verbose...
              Tell also what did not change and what commands print; -vv logs internals
              
              HAENGINE_LOG chooses which internals, as in HAENGINE_LOG=haengine_stdlib=trace.

    Examples:
      haengine run time_sync -i site.yaml hosts=masters
      haengine run ./my_recipe.rhai -i site.yaml -i secrets.yaml
      haengine run time_sync -i site.yaml hosts=masters --json | jq .

    See `haengine describe RECIPE` for its parameters.
    ");
}

#[test]
fn of_plan() {
    insta::assert_snapshot!(help(&["plan", "-h"]), @"
    Show what a recipe would change, and touch nothing

    Usage: haengine plan [OPTIONS] <RECIPE> [KEY=VALUE]...

    Arguments:
      <RECIPE>        A recipe's file, or the name of one that `haengine list` shows
      [KEY=VALUE]...  The recipe's parameters (can be repeated)

    Options:
          --exit-code  End with exit code 4 when changes are pending
      -h, --help       Print help (see more with '--help')

    Global options:
      -i, --inventory <FILE>  File with hosts and groups (can be repeated)
          --json              Write one JSON object a line to standard output, and nothing else
      -y, --yes               Answer every question with yes
          --state-dir <DIR>   Folder in which runs are kept
          --forks <N>         How many hosts are worked on at once [default: 50]
      -v, --verbose...        Tell also what did not change and what commands print; -vv logs internals

    Examples:
      haengine plan time_sync -i site.yaml hosts=masters
      haengine plan time_sync -i site.yaml hosts=masters --exit-code || echo changes are pending
    ");
}

#[test]
fn of_resume() {
    insta::assert_snapshot!(help(&["resume", "-h"]), @"
    Go on with a run that failed, was interrupted or died

    Usage: haengine resume [OPTIONS] <RUN>

    Arguments:
      <RUN>  The run's id

    Options:
          --unknown <ANSWER>  What to do with actions of which nobody knows whether they were done
                              [possible values: repeat, done]
      -h, --help              Print help (see more with '--help')

    Global options:
      -i, --inventory <FILE>  File with hosts and groups (can be repeated)
          --json              Write one JSON object a line to standard output, and nothing else
      -y, --yes               Answer every question with yes
          --state-dir <DIR>   Folder in which runs are kept
          --forks <N>         How many hosts are worked on at once [default: 50]
      -v, --verbose...        Tell also what did not change and what commands print; -vv logs internals

    Examples:
      haengine runs                                                    the ids of all runs
      haengine resume 20260314-091502-kqzt
      haengine resume 20260314-091502-kqzt -i corrected.yaml           with another inventory
      haengine resume 20260314-091502-kqzt --unknown done              you have looked: it was done
    ");
}

#[test]
fn of_forget() {
    insta::assert_snapshot!(help(&["forget", "-h"]), @"
    Give up what the hosts keep for the undo of a run

    Usage: haengine forget [OPTIONS] <RUN>

    Arguments:
      <RUN>  The run's id

    Options:
          --replaced <HOST>  Give up what was on a machine that is no more (can be repeated)
      -h, --help             Print help (see more with '--help')

    Global options:
      -i, --inventory <FILE>  File with hosts and groups (can be repeated)
          --json              Write one JSON object a line to standard output, and nothing else
      -y, --yes               Answer every question with yes
          --state-dir <DIR>   Folder in which runs are kept
          --forks <N>         How many hosts are worked on at once [default: 50]
      -v, --verbose...        Tell also what did not change and what commands print; -vv logs internals

    Examples:
      haengine runs                                      the ids of all runs
      haengine forget 20260314-091502-kqzt
      haengine forget 20260314-091502-kqzt --yes         without a question, for scripts
    ");
}

#[test]
fn of_undo() {
    insta::assert_snapshot!(help(&["undo", "-h"]), @"
    Take a run back: every host as it was before it

    Usage: haengine undo [OPTIONS] <RUN>

    Arguments:
      <RUN>  The run's id

    Options:
          --replaced <HOST>  Give up what was on a machine that is no more (can be repeated)
      -h, --help             Print help (see more with '--help')

    Global options:
      -i, --inventory <FILE>  File with hosts and groups (can be repeated)
          --json              Write one JSON object a line to standard output, and nothing else
      -y, --yes               Answer every question with yes
          --state-dir <DIR>   Folder in which runs are kept
          --forks <N>         How many hosts are worked on at once [default: 50]
      -v, --verbose...        Tell also what did not change and what commands print; -vv logs internals

    Examples:
      haengine runs                                    the ids of all runs
      haengine undo 20260314-091502-kqzt
      haengine undo 20260314-091502-kqzt --yes         without a question, for scripts
      haengine undo 20260314-091502-kqzt --replaced m2 the machine of m2 is no more
    ");
}

#[test]
fn of_lab() {
    insta::assert_snapshot!(help(&["lab", "-h"]), @"
    Make throw-away real hosts on this machine, from an inventory

    Usage: haengine lab [OPTIONS] <COMMAND>

    Commands:
      up          Bring up the hosts of the inventory; those that are up stay as they are
      kubernetes  Find or build Kubernetes' programs for the lab's hosts, and print their folder
      down        End and remove everything of the lab
      status      Show the lab's hosts and snapshots
      exec        Run a command on this machine inside the lab's network, or as root on one of its hosts
      ssh         Open a shell on a host through its sshd
      snapshot    Freeze the disks of all hosts under a name; the hosts restart
      restore     Go back to a snapshot; what was written since is lost

    Options:
          --name <NAME>  Which lab, where there are several [default: lab]
      -h, --help         Print help (see more with '--help')

    Global options:
      -i, --inventory <FILE>  File with hosts and groups (can be repeated)
          --json              Write one JSON object a line to standard output, and nothing else
      -y, --yes               Answer every question with yes
          --state-dir <DIR>   Folder in which runs are kept
          --forks <N>         How many hosts are worked on at once [default: 50]
      -v, --verbose...        Tell also what did not change and what commands print; -vv logs internals

    Examples:
      haengine lab up -i lab.yaml
      haengine lab exec -- haengine run time_sync -i lab.yaml hosts=all
      haengine lab exec master1 -- systemctl status chrony
      haengine lab snapshot clean       then break things, then:
      haengine lab restore clean
      haengine lab down
    ");
}

#[test]
fn of_lab_exec() {
    insta::assert_snapshot!(help(&["lab", "exec", "-h"]), @"
    Run a command on this machine inside the lab's network, or as root on one of its hosts

    Usage: haengine lab exec [OPTIONS] [HOST] -- <COMMAND>...

    Arguments:
      [HOST]        The host on which it runs; without one, this machine inside the lab's network
      <COMMAND>...  The command and its arguments

    Options:
          --name <NAME>  Which lab, where there are several [default: lab]
      -h, --help         Print help (see more with '--help')

    Global options:
      -i, --inventory <FILE>  File with hosts and groups (can be repeated)
          --json              Write one JSON object a line to standard output, and nothing else
      -y, --yes               Answer every question with yes
          --state-dir <DIR>   Folder in which runs are kept
          --forks <N>         How many hosts are worked on at once [default: 50]
      -v, --verbose...        Tell also what did not change and what commands print; -vv logs internals

    Examples:
      haengine lab exec -- haengine plan time_sync -i lab.yaml hosts=all    inside the lab's network
      haengine lab exec master1 -- journalctl -b                            on a host, without SSH
    ");
}

#[test]
fn every_command_has_an_example() {
    for words in [
        &["run"][..],
        &["plan"],
        &["check"],
        &["resume"],
        &["undo"],
        &["runs"],
        &["show"],
        &["forget"],
        &["list"],
        &["describe"],
        &["eject"],
        &["init"],
        &["doc"],
        &["completions"],
        &["lab"],
        &["lab", "up"],
    ] {
        let text = help(&[words, &["-h"]].concat());
        assert!(text.contains("Example"), "{words:?}");
    }
}
