# Finds DuckDB's C API and defines DuckDB::duckdb.
#
# Search order: DUCKDB_ROOT (cache variable or environment; include/duckdb.h and lib/), then the
# system, then the prebuilt library that `npm ci` puts below third_party/duckdb (pinned there by
# integrity hash) together with the header committed beside it.
set(_tb_duckdb_dir "${CMAKE_SOURCE_DIR}/third_party/duckdb")
if(NOT DUCKDB_ROOT AND DEFINED ENV{DUCKDB_ROOT})
    set(DUCKDB_ROOT "$ENV{DUCKDB_ROOT}")
endif()

if(DUCKDB_ROOT)
    find_path(DUCKDB_INCLUDE_DIR duckdb.h PATHS "${DUCKDB_ROOT}/include" "${DUCKDB_ROOT}" NO_DEFAULT_PATH)
    find_library(DUCKDB_LIBRARY NAMES duckdb libduckdb PATHS "${DUCKDB_ROOT}/lib" "${DUCKDB_ROOT}" NO_DEFAULT_PATH)
endif()
find_path(DUCKDB_INCLUDE_DIR duckdb.h)
find_library(DUCKDB_LIBRARY NAMES duckdb)
if(NOT DUCKDB_LIBRARY)
    unset(DUCKDB_INCLUDE_DIR CACHE)
    file(GLOB _tb_duckdb_lib
        "${_tb_duckdb_dir}/node_modules/@duckdb/node-bindings-*/libduckdb.so"
        "${_tb_duckdb_dir}/node_modules/@duckdb/node-bindings-*/libduckdb.dylib")
    if(_tb_duckdb_lib)
        list(GET _tb_duckdb_lib 0 _tb_duckdb_lib)
        set(DUCKDB_LIBRARY "${_tb_duckdb_lib}" CACHE FILEPATH "DuckDB library" FORCE)
        set(DUCKDB_INCLUDE_DIR "${_tb_duckdb_dir}" CACHE PATH "Folder of duckdb.h" FORCE)
    endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB
    REQUIRED_VARS DUCKDB_LIBRARY DUCKDB_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "Set DUCKDB_ROOT, or run `npm ci --ignore-scripts` in third_party/duckdb (./tb does).")
if(DuckDB_FOUND AND NOT TARGET DuckDB::duckdb)
    add_library(DuckDB::duckdb SHARED IMPORTED)
    set_target_properties(DuckDB::duckdb PROPERTIES
        IMPORTED_LOCATION "${DUCKDB_LIBRARY}"
        INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${DUCKDB_INCLUDE_DIR}"
        INTERFACE_INCLUDE_DIRECTORIES "${DUCKDB_INCLUDE_DIR}")
endif()
mark_as_advanced(DUCKDB_INCLUDE_DIR DUCKDB_LIBRARY)
