#include "engine/run/rest.h"

#include <boost/asio/post.hpp>

namespace canorun::run {

void Rest::consider() {
  if (posted_ || waits_.empty()) return;
  posted_ = true;
  boost::asio::post(executor_, [this, alive = alive_] {
    if (*alive) decide();
  });
}

void Rest::ring() {
  for (Wait* wait : waits_) wait->bell_.ring();
}

void Rest::decide() {
  posted_ = false;
  if (waits_.empty() || waits_.size() < at_work_ || interrupt_.reason() != Reason::kNone) return;
  store::WaitsFor all;
  all.children = waits_.size();
  for (const Wait* wait : waits_) {
    const store::WaitsFor& one = wait->waits_;
    if (one.until) all.until = std::min(*one.until, all.until.value_or(*one.until));
    if (!one.signal.empty() && all.signal.empty()) {
      all.signal = one.signal;
      all.run = one.run;
    }
  }
  agreed_ = std::move(all);
  interrupt_.raise(Reason::kSuspend, "waits");
}

}  // namespace canorun::run
