#include "core/version.h"

#include <cstdio>

int main() {
    std::printf("tradeblocks %s\n", tb::kVersion.data());
    return 0;
}
