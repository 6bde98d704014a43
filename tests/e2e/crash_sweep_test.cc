// A process may die at any instruction: killed before and after every row, a run comes to the same end.
#include "sweep.h"

using namespace canorun;
using namespace canorun::test;

TEST_CASE("a flow of every shape survives a kill at every row, and nothing that ended runs twice") {
  const TempFolder flows;
  const std::string flow = flows.path() + "/all.yaml";
  write_file(flow, R"(
name: all-shapes
inputs: {trace: string}
vars: {round: 0, seen: []}
defaults: {retry: {max: 1, delay: 10ms}}
states:
  begin:
    run: 'echo "$CANORUN_STATE $CANORUN_VISIT" >> "${{ inputs.trace }}/begin"; echo {\"n\": 4}'
    parse: json
    set: {round: "${{ vars.round + 1 }}", seen: "${{ vars.seen + [output.json.n] }}"}
    next: pause
  pause: {timer: {for: 20ms}, next: decide}
  decide:
    route:
      - {when: vars.round < 3, to: begin}
      - {to: stumble}
  stumble:
    run: |
      echo "$CANORUN_STATE $CANORUN_VISIT" >> "${{ inputs.trace }}/stumble"
      exit 3
    next: never
    on_error: [{when: error.exit_code == 3, to: report}]
  never: {exit: failure}
  report:
    task: exec
    with: {argv: [sh, -c, 'echo "$CANORUN_STATE" >> "$0/report"; echo "k=v" > "$CANORUN_OUTPUT"', "${{ inputs.trace }}"]}
    next: done
  done: {exit: success, output: {seen: "${{ vars.seen }}", k: "${{ states.report.output.values.k }}"}}
)");
  const SweepCase example{.flow = flow, .inputs = {"trace={world}"}};
  CHECK(sweep(example) == 18);
}

TEST_CASE("a command whose end was committed never runs again, one that was cut off does, once per resume") {
  const TempFolder flows;
  const std::string flow = flows.path() + "/two.yaml";
  write_file(flow, R"(
name: two
inputs: {trace: string}
states:
  a: {run: 'echo a >> "${{ inputs.trace }}"', next: b}
  b: {run: 'echo b >> "${{ inputs.trace }}"', next: done}
  done: {exit: success}
)");
  // Rows: 0 run_started, 1 entered a, 2 ended a, 3 entered b, 4 ended b, 5 run_ended. Rows 0 and 1, 2 and
  // 3, 4 and 5 are one commit each.
  const std::map<std::string, std::string> traces{
      {"before:0", "a\nb\n"},    {"after:0", "a\nb\n"}, {"before:1", "a\nb\n"},    {"after:1", "a\nb\n"},
      {"before:2", "a\na\nb\n"}, {"after:2", "a\nb\n"}, {"before:3", "a\na\nb\n"}, {"after:3", "a\nb\n"},
      {"before:4", "a\nb\nb\n"}, {"after:4", "a\nb\n"}, {"before:5", "a\nb\nb\n"}, {"after:5", "a\nb\n"}};
  for (const auto& [crash, expected] : traces) {
    CAPTURE(crash);
    const World world;
    const std::string trace = world.folder() + "/trace";
    const std::vector<std::string> arguments{"run", flow, "--id", "r1", "-i", "trace=" + trace, "--or-resume"};
    CHECK(world.canorun(arguments, {{"CANORUN_CRASH", crash}}).signal == SIGKILL);
    CHECK(world.canorun(arguments).code == 0);
    CHECK(read_file(trace) == expected);
  }
}
