// Connections on which users' queries run: the tables of `trades` and `market` are known there by
// their short names too (SELECT * FROM trade_data; SHOW TABLES).
//
// Thread-safe.
#pragma once

#include "core/cancel.h"
#include "core/result.h"
#include "db/connection.h"
#include "tools/app.h"

namespace tb::tools {

[[nodiscard]] Result<void> use_short_table_names(db::Connection& connection);

// App::reader with short names.
[[nodiscard]] Result<db::Connection> query_connection(App& app, const CancelToken& cancel);

}  // namespace tb::tools
