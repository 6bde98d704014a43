#include <array>

#include "cli/verb.h"

namespace canorun::cli {
namespace {

constexpr std::array kVerbs{
    VerbEntry{"run", "Runs a flow to its end",
              "  canorun run order.yaml -i order_id=A1 -i amount=19.5\n"
              "  canorun run backup.yaml --id backup-monday --or-resume\n",
              make_run},
    VerbEntry{"resume", "Continues a run that was interrupted, was suspended or failed",
              "  canorun resume order-20261123-081500-k3f9\n"
              "  canorun resume --all\n"
              "  * * * * * canorun resume --due --quiet      # a line of a crontab\n",
              make_resume},
    VerbEntry{"rollback", "Undoes what a run did that has failed or has stopped",
              "  canorun rollback order-20261123-081500-k3f9 --yes\n", make_rollback},
    VerbEntry{"validate", "Checks flow files, and tells all that is wrong with them",
              "  canorun validate order.yaml backup.yaml --strict\n", make_validate},
    VerbEntry{"health", "Asks the services of a flow whether they are well", "  canorun health integration-test.yaml\n",
              make_health},
    VerbEntry{"list", "Lists runs, newest first, each with its children below it",
              "  canorun list --status failed --limit 10\n", make_list},
    VerbEntry{"show", "Shows one run: its states, outputs and error", "  canorun show order-20261123-081500-k3f9\n",
              make_show},
    VerbEntry{"events", "Shows what was recorded of a run, in order",
              "  canorun events order-20261123-081500-k3f9 --follow\n", make_events},
    VerbEntry{"logs", "Shows what the commands of a run wrote", "  canorun logs order-20261123-081500-k3f9 ship\n",
              make_logs},
    VerbEntry{"cancel", "Ends a run", "  canorun cancel order-20261123-081500-k3f9\n", make_cancel},
    VerbEntry{"signal", "Tells a run what it waits for, or will wait for",
              "  canorun signal order-20261123-081500-k3f9 approval --data '{\"by\": \"ann\"}'\n", make_signal},
    VerbEntry{"breakers", "Lists breakers that have failed, or closes one",
              "  canorun breakers\n"
              "  canorun breakers reset payments\n",
              make_breakers},
    VerbEntry{"limits", "Lists rate limits: what is left of them, and how many wait", "  canorun limits\n",
              make_limits},
    VerbEntry{"prune", "Deletes old runs that ended, with their children and logs",
              "  canorun prune --older-than 30d --dry-run\n"
              "  canorun prune --older-than 30d --keep 100\n"
              "  17 3 * * * canorun prune --older-than 30d --quiet      # a line of a crontab\n",
              make_prune},
    VerbEntry{"doctor", "Checks a store, and says what is wrong with it and what to do",
              "  canorun doctor\n"
              "  canorun doctor --fix --store /srv/canorun\n",
              make_doctor},
    VerbEntry{"torture", "Kills a flow at every row, and tells which steps are not safe to run twice",
              "  canorun torture order.yaml -i order_id=A1 -i ledger=ledger --compare ledger\n", make_torture},
    VerbEntry{"kinds", "Explains the kinds of tasks and their parameters", "  canorun kinds http\n", make_kinds},
    VerbEntry{"eval", "Evaluates an expression: for trying one out",
              "  canorun eval 'items.filter(i, i > 2).size()' --bind '{\"items\": [1, 2, 3, 4]}'\n", make_eval},
    VerbEntry{"schema", "Prints the JSON Schema of the flow file, for editors",
              "  canorun schema > ~/.config/canorun.schema.json\n", make_schema},
};

}  // namespace

std::span<const VerbEntry> verbs() { return kVerbs; }

}  // namespace canorun::cli
