#include "sync/sync_support.h"

namespace tb::sync {

void add_store_notes(const db::DataStore& store, std::vector<std::string>& warnings) {
    if (const auto recovery = store.recovery(); recovery.has_value()) {
        warnings.push_back(recovery->to_string());
    }
    for (const std::string& note : store.schema_change().notes) {
        warnings.push_back(note);
    }
    if (store.mode() == db::StoreMode::kMemory) {
        warnings.push_back("the database is an in-memory stand-in (" + store.mode_reason() +
                           "): figures are fresh from the CSV files and market history from its "
                           "journals; the log of past syncs is not available");
    }
}

}  // namespace tb::sync
