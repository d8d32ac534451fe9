// Another program on the installed package: the README's example.
#include <cstdio>

#include "sync/sync.h"

int main(int, char** argv) {
    const auto result = tb::sync::sync_all_blocks(argv[1]);
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().to_string().c_str());
        return 1;
    }
    std::printf("%lld blocks, %lld rows\n", static_cast<long long>(result->synced),
                static_cast<long long>(result->rows_inserted));
    return 0;
}
