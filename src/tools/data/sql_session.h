// A connection on which users' queries run: as App::reader, with the tables of `trades` and
// `market` known by their short names too (SELECT * FROM trade_data; SHOW TABLES).
//
// Thread-safe.
#pragma once

#include "core/cancel.h"
#include "core/result.h"
#include "db/connection.h"
#include "tools/app.h"

namespace tb::tools {

[[nodiscard]] Result<db::Connection> query_connection(App& app, const CancelToken& cancel);

}  // namespace tb::tools
