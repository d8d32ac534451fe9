// Many calls at once give what the same calls give one by one (06 Q5).
#include <atomic>
#include <thread>

#include "tool_support.h"

namespace tb::tools {
namespace {

using mcp::Json;

class DataConcurrent : public ToolTest {
  protected:
    struct Job {
        std::string tool;
        Json arguments;
    };
    // Without what tells time, and without which of several calls did the syncing.
    static Json stable(Json json) {
        for (const char* const name : {"calculatedAt", "durationMs", "syncInfo", "blocksSynced",
                                       "blocksUnchanged", "rowsInserted"}) {
            json.erase(name);
        }
        if (json.contains("blocks")) {
            for (Json& block : json["blocks"]) {
                for (const char* const name : {"durationMs", "status", "rowsInserted", "files"}) {
                    block.erase(name);
                }
            }
        }
        return json;
    }
    static std::vector<Job> jobs() {
        const std::vector<Job> kinds = {
            {"list_blocks", Json::object()},
            {"get_block_info", {{"blockId", "B3"}}},
            {"get_trades", {{"blockId", "B1"}, {"pageSize", 7}, {"page", 2}}},
            {"run_sql",
             {{"query",
               "SELECT block_id, count(*) AS n, sum(net_pl) AS s FROM trade_data GROUP BY 1 "
               "ORDER BY 1"}}},
            {"get_reporting_log_stats", {{"blockId", "B0"}}},
            {"describe_database", {{"table", "trades.trade_data"}}},
            {"get_data_issues", Json::object()},
            {"sync", {{"blockId", "B2"}}},
        };
        std::vector<Job> jobs;
        for (int i = 0; i < 64; ++i) {
            jobs.push_back(kinds[static_cast<std::size_t>(i * 5) % kinds.size()]);
        }
        return jobs;
    }
    void write_blocks() const {
        for (int b = 0; b < 4; ++b) {
            std::string rows;
            for (int i = 0; i < 20 + b; ++i) {
                rows += "2024-01-" + std::to_string(10 + i % 18) + ",10:00:00,leg" +
                        std::to_string(i) + ",1,,," + std::to_string(b * 100 + i) + ",1,10,s" +
                        std::to_string(i % 3) + ",1,1,x,SPX\n";
            }
            rows += "2024-02-30,10:00:00,bad,1,,,7,1,10,s,1,1,x,SPX\n";
            write_block("B" + std::to_string(b), rows);
        }
        dir_.write("B0/reportinglog.csv",
                   "Strategy,Date Opened,Legs,Initial Premium,No. of Contracts,P/L\n"
                   "S,2024-01-05 10:00:00,a,1.5,2,30\n");
    }
};

TEST_F(DataConcurrent, MixedCallsEqualTheSameCallsOneByOne) {
    write_blocks();
    const std::vector<Job> all = jobs();
    std::vector<Answer> parallel(all.size());
    std::atomic<std::size_t> next{0};
    // On a cold database: the first calls race to open and fill it.
    std::vector<std::thread> workers;
    for (int i = 0; i < 4; ++i) {
        workers.emplace_back([&] {
            for (std::size_t job = next++; job < all.size(); job = next++) {
                parallel[job] = call(all[job].tool, all[job].arguments);
            }
        });
    }
    for (std::thread& worker : workers) {
        worker.join();
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        ASSERT_TRUE(parallel[i].ok()) << all[i].tool << ": " << parallel[i].error;
        const Answer alone = call(all[i].tool, all[i].arguments);
        EXPECT_EQ(stable(parallel[i].json), stable(alone.json)) << all[i].tool;
    }
}

TEST_F(DataConcurrent, CallsWhileFilesChangeSeeOneVersionEach) {
    const std::string row = "2024-01-10,10:00:00,a,1,,,10,1,10,s,1,1,x,SPX\n";
    write_block("A", row);
    ASSERT_TRUE(call("list_blocks").ok());
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!stop) {
                const Answer answer = call("list_blocks");
                if (!answer.ok() || answer.json["blocks"].size() != 1) {
                    ADD_FAILURE() << answer.error << answer.json.dump();
                    return;
                }
                const Json& block = answer.json["blocks"][0];
                EXPECT_EQ(block["netPl"].get<int>(), 10 * block["tradeCount"].get<int>());
            }
        });
    }
    std::string rows = row;
    for (int i = 0; i < 12; ++i) {
        rows += row;
        // In one step, as an export program should.
        const auto path = dir_.write("A/new", std::string(kTradeHeader) + rows);
        std::filesystem::rename(path, dir_.path() / "A/tradelog.csv");
        EXPECT_EQ(json_of("get_block_info", {{"blockId", "A"}})["tradeCount"], i + 2);
    }
    stop = true;
    for (std::thread& reader : readers) {
        reader.join();
    }
}

}  // namespace
}  // namespace tb::tools
