#include "tools/data/sql_session.h"

namespace tb::tools {

Result<db::Connection> query_connection(App& app, const CancelToken& cancel) {
    TB_TRY(db::Connection connection, app.reader(cancel));
    // Which schemas are searched is the one setting that a locked configuration leaves open.
    TB_RETURN_IF_ERROR(connection.execute("SET search_path = 'trades,market,main'"));
    return connection;
}

}  // namespace tb::tools
