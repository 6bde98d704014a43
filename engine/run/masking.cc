#include "engine/run/masking.h"

#include <optional>

namespace canorun::run {
namespace {

// One overload per kind of row that has values.
struct MaskRow {
  const Masker& masker;

  void operator()(store::RunStarted& row) const {
    values(row.inputs);
    values(row.vars);
  }
  void operator()(store::StateEntered&) const {}
  void operator()(store::StateEnded& row) const {
    ended(row);
    values(row.set);
  }
  void operator()(store::RunSuspended& row) const { masker.mask(row.progress); }
  void operator()(store::RunResumed& row) const {
    values(row.inputs);
    values(row.vars);
  }
  void operator()(store::RunEnded& row) const {
    masker.mask(row.output);
    error(row.error);
    masker.mask(row.stderr_tail);
  }
  void operator()(store::PartEnded& row) const {
    ended(row);
    masker.mask(row.item);
  }
  void operator()(store::PartBegan& row) const { masker.mask(row.item); }
  void operator()(store::StepEnded& row) const {
    masker.mask(row.cursor);
    masker.mask(row.output);
  }
  void operator()(store::SignalReceived& row) const { masker.mask(row.data); }
  void operator()(store::WindowEnded& row) const { masker.mask(row.cursor); }
  void operator()(store::RunQueued& row) const { masker.mask(row.group); }

 private:
  void ended(auto& row) const {
    masker.mask(row.output);
    error(row.error);
    masker.mask(row.stderr_tail);
  }
  // Of inputs or variables, by name.
  void values(Json& named) const {
    for (Json& value : named) masker.mask(value);
  }
  void error(Json& fields) const {
    for (const char* text : {"kind", "message"}) {
      if (const auto field = fields.find(text); field != fields.end()) masker.mask(*field);
    }
  }
};

}  // namespace

void mask(const Masker& masker, model::RunError& error) {
  masker.mask(error.kind);
  masker.mask(error.message);
  masker.mask(error.stderr_tail);
}

void mask(const Masker& masker, model::Outcome& outcome) {
  if (auto* success = std::get_if<model::Success>(&outcome)) {
    masker.mask(success->output);
  } else {
    mask(masker, std::get<model::Failure>(outcome).error);
  }
}

void mask(const Masker& masker, store::Row& row) { std::visit(MaskRow{masker}, row.body); }

void tell_masked(const Masker& masker, model::Observer& observer, model::Event event) {
  std::optional<model::RunError> error;
  std::string message;
  const auto replace = [&](auto& what) {
    if constexpr (requires { what.error; }) {
      if (what.error == nullptr) return;
      mask(masker, error.emplace(*what.error));
      what.error = &*error;
    }
    if constexpr (requires { what.message; }) {
      message = what.message;
      masker.mask(message);
      what.message = message;
    }
  };
  std::visit(replace, event.what);
  observer.on_event(event);
}

}  // namespace canorun::run
