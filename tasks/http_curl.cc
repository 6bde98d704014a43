#include "tasks/http_curl.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace canorun::tasks {
namespace {

constexpr const char* kLibrary = "libcurl.so.4";

template <class Function>
bool find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(library, name));
  return function != nullptr;
}

Result<Curl> load() {
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  const char* hint = "install the package libcurl4";
  if (library == nullptr) return fail(fmt::format("HTTP needs libcurl: {}", ::dlerror()), hint);
  Curl curl{};
  const bool complete =
      find(library, "curl_global_init", curl.global_init) && find(library, "curl_getdate", curl.getdate) &&
      find(library, "curl_slist_append", curl.slist_append) &&
      find(library, "curl_slist_free_all", curl.slist_free_all) && find(library, "curl_easy_init", curl.easy_init) &&
      find(library, "curl_easy_setopt", curl.easy_setopt) && find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
      find(library, "curl_easy_strerror", curl.easy_strerror) &&
      find(library, "curl_easy_cleanup", curl.easy_cleanup) && find(library, "curl_multi_init", curl.multi_init) &&
      find(library, "curl_multi_setopt", curl.multi_setopt) &&
      find(library, "curl_multi_add_handle", curl.multi_add_handle) &&
      find(library, "curl_multi_remove_handle", curl.multi_remove_handle) &&
      find(library, "curl_multi_socket_action", curl.multi_socket_action) &&
      find(library, "curl_multi_info_read", curl.multi_info_read) &&
      find(library, "curl_multi_cleanup", curl.multi_cleanup);
  if (!complete) return fail(fmt::format("{} is no libcurl that canorun can use", kLibrary), hint);
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return fail("libcurl cannot be initialized");
  return curl;
}

}  // namespace

const Result<Curl>& curl() {
  static const Result<Curl> loaded = load();
  return loaded;
}

}  // namespace canorun::tasks
