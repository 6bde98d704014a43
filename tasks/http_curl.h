// libcurl, loaded when first used: linking it would cost every start several milliseconds.
#pragma once

#include <curl/curl.h>

#include "engine/base/result.h"

namespace canorun::tasks {

/// The functions of libcurl that are used.
struct Curl {
  decltype(&curl_global_init) global_init;
  decltype(&curl_getdate) getdate;
  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_multi_init) multi_init;
  decltype(&curl_multi_setopt) multi_setopt;
  decltype(&curl_multi_add_handle) multi_add_handle;
  decltype(&curl_multi_remove_handle) multi_remove_handle;
  decltype(&curl_multi_socket_action) multi_socket_action;
  decltype(&curl_multi_info_read) multi_info_read;
  decltype(&curl_multi_cleanup) multi_cleanup;
};

/// Loads the library, once for the process; it is never unloaded. The error names the package.
const Result<Curl>& curl();

}  // namespace canorun::tasks
