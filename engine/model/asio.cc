// The event loop's library is compiled here, once.
#include <boost/asio/impl/src.hpp>
