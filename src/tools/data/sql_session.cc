#include "tools/data/sql_session.h"

namespace tb::tools {

Result<void> use_short_table_names(db::Connection& connection) {
    // Which schemas are searched is the one setting that a locked configuration leaves open.
    return connection.execute("SET search_path = 'trades,market,main'");
}

Result<db::Connection> query_connection(App& app, const CancelToken& cancel) {
    TB_TRY(db::Connection connection, app.reader(cancel));
    TB_RETURN_IF_ERROR(use_short_table_names(connection));
    return connection;
}

}  // namespace tb::tools
