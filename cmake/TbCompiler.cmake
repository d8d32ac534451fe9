# Warnings, hardening and sanitizers for our own targets, as one interface target.
add_library(tb_compiler_flags INTERFACE)
add_library(tb::compiler_flags ALIAS tb_compiler_flags)

target_compile_options(tb_compiler_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror
    -ffp-contract=off -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 warns falsely about std::string and std::optional moves at -O2 (GCC bug 105329 and kin).
    target_compile_options(tb_compiler_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized
        -Wno-stringop-overflow -Wno-array-bounds)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1 -D_GLIBCXX_ASSERTIONS")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")

if(TB_SANITIZE)
    target_compile_options(tb_compiler_flags INTERFACE -fsanitize=${TB_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(tb_compiler_flags INTERFACE -fsanitize=${TB_SANITIZE})
    if(TB_SANITIZE MATCHES "undefined")
        target_compile_options(tb_compiler_flags INTERFACE -fno-sanitize-recover=undefined)
    endif()
    if(TB_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # Boost.Asio uses atomic_thread_fence, which g++ says TSan does not model.
        target_compile_options(tb_compiler_flags INTERFACE -Wno-tsan)
    endif()
else()
    if(CMAKE_BUILD_TYPE STREQUAL "Release")
        # Needs optimization, which tests are built without (tb_add_test).
        target_compile_options(tb_compiler_flags INTERFACE
            $<$<NOT:$<BOOL:$<TARGET_PROPERTY:TB_UNOPTIMIZED>>>:-U_FORTIFY_SOURCE>
            $<$<NOT:$<BOOL:$<TARGET_PROPERTY:TB_UNOPTIMIZED>>>:-D_FORTIFY_SOURCE=3>)
    endif()
    target_link_options(tb_compiler_flags INTERFACE -Wl,-z,relro,-z,now)
endif()

if(TB_BUILD_FUZZ)
    target_compile_options(tb_compiler_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(TB_CCACHE ccache)
if(TB_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # So that build folders and clones share what was compiled, wherever they lie.
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
        "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
        CCACHE_SLOPPINESS=pch_defines,time_macros "${TB_CCACHE}")
else()
    # __FILE__ without the folder of the checkout (06 Q16); ccache makes it relative by itself.
    target_compile_options(tb_compiler_flags INTERFACE "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
endif()
find_program(TB_MOLD mold)
if(TB_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_link_options(-fuse-ld=mold)
endif()
