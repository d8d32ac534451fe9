// main() of the test programs whose queries may run in a process of their own: that process is the
// test program again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/sql_worker_main.h"

int main(int argc, char** argv) {
    if (tb::db::is_sql_worker(argc, argv)) {
        return tb::db::run_sql_worker();
    }
    testing::InitGoogleMock(&argc, argv);
    return RUN_ALL_TESTS();
}
