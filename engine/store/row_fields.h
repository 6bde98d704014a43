// The keys of what a store keeps as CBOR maps: FORMAT.md says what they mean.
#pragma once

#include "engine/store/row_codec.h"

namespace canorun::store {

// The keys of each type, once for both ways: `a(key, field)` must be there, `a.maybe(key, field, fallback)`
// is left out when the field holds the fallback.
template <class A>
void fields(A& a, auto& row, const RunStarted*) {
  a("f", row.flow);
  a("v", row.version);
  a("d", row.digest);
  a("p", row.file);
  a("w", row.folder);
  a("n", row.nonce);
  a("i", row.inputs);
  a("s", row.vars);
  a.maybe("fl", row.flows);
  a.maybe("pa", row.parent);
  a.maybe("wk", row.work);
  a.maybe("se", row.secrets);
}

template <class A>
void fields(A& a, auto& row, const StateEntered*) {
  a("s", row.state);
  a("v", row.visit);
  a.maybe("via", row.via);
  a.maybe("dl", row.deadline);
  a.maybe("ow", row.owed);
}

template <class A>
void fields(A& a, auto& row, const StateEnded*) {
  a("s", row.state);
  a("v", row.visit);
  a("a", row.attempts);
  a("ms", row.duration);
  a.maybe("o", row.output);
  a.maybe("e", row.error);
  a.maybe("set", row.set, Json());
  a.maybe("err", row.stderr_tail);
  a.maybe("ow", row.owed);
}

template <class A>
void fields(A& a, auto& row, const RunSuspended*) {
  a("r", row.reason);
  a.maybe("wf", row.waits_for);
  a.maybe("pr", row.progress);
  a.maybe("up", row.services_up);
}

template <class A>
void fields(A& a, auto& row, const SignalReceived*) {
  a("s", row.state);
  a("v", row.visit);
  a("g", row.signal);
  a("k", row.number);
  a.maybe("o", row.data);
}

template <class A>
void fields(A& a, auto& signal, const Signal*) {
  a("g", signal.name);
  a("at", signal.at);
  a.maybe("o", signal.data);
}

template <class A>
void fields(A& a, auto& row, const RunResumed*) {
  a.maybe("s", row.state);
  a.maybe("h", row.by_hand);
  a.maybe("d", row.digest);
  a.maybe("p", row.file);
  a.maybe("w", row.folder);
  a.maybe("fl", row.flows);
  a.maybe("v", row.version);
  a.maybe("i", row.inputs);
  a.maybe("set", row.vars);
}

template <class A>
void fields(A& a, auto& row, const RunEnded*) {
  a("st", row.status);
  a.maybe("s", row.state);
  a.maybe("via", row.via);
  a.maybe("x", row.entered);
  a.maybe("o", row.output);
  a.maybe("e", row.error);
  a.maybe("err", row.stderr_tail);
}

template <class A>
void fields(A& a, auto& row, const PartEnded*) {
  a("s", row.state);
  a("v", row.visit);
  a("k", row.part);
  a("a", row.attempts);
  a("ms", row.duration);
  a.maybe("o", row.output);
  a.maybe("e", row.error);
  a.maybe("err", row.stderr_tail);
  a.maybe("ow", row.owed);
  a.maybe("it", row.item);
}

template <class A>
void fields(A& a, auto& row, const PartBegan*) {
  a("s", row.state);
  a("v", row.visit);
  a("k", row.part);
  a.maybe("it", row.item);
}

template <class A>
void fields(A& a, auto& row, const StepEnded*) {
  a("s", row.state);
  a("v", row.visit);
  a("k", row.step);
  a("a", row.attempts);
  a("ms", row.duration);
  a.maybe("c", row.cursor);
  a.maybe("o", row.output);
}

template <class A>
void fields(A& a, auto& row, const WindowEnded*) {
  a("s", row.state);
  a("v", row.visit);
  a("k", row.window);
  a("a", row.attempts);
  a("ms", row.duration);
  a("n", row.items);
  a.maybe("sk", row.skipped);
  a.maybe("c", row.cursor);
  a.maybe("x", row.end);
  a.maybe("r", row.replaces);
}

template <class A>
void fields(A& a, auto& row, const RunQueued*) {
  a("g", row.group);
}

template <class A>
void fields(A& a, auto& entry, const RunEntry*) {
  auto& summary = entry.summary;
  a("id", summary.id);
  a("f", summary.flow);
  a("v", summary.version);
  a("st", summary.status);
  a("s", summary.state);
  a("b", summary.started_at);
  a.maybe("z", summary.ended_at);
  a.maybe("wf", summary.waits_for);
  a.maybe("pa", summary.parent);
  a.maybe("wk", summary.work);
  a("n", summary.rows);
  a.maybe("o", entry.owner);
  a.maybe("gr", entry.group);
}

}  // namespace canorun::store
