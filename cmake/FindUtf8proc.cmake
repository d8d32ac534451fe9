# Finds the utf8proc library and defines Utf8proc::utf8proc. The archive is preferred: tables and
# code are small, and nothing further has to be installed or bundled.
find_path(UTF8PROC_INCLUDE_DIR utf8proc.h)
find_library(UTF8PROC_LIBRARY NAMES libutf8proc.a utf8proc)
if(UTF8PROC_INCLUDE_DIR)
    file(STRINGS "${UTF8PROC_INCLUDE_DIR}/utf8proc.h" _tb_utf8proc_lines
        REGEX "^#define UTF8PROC_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
    string(REGEX MATCHALL "[0-9]+" _tb_utf8proc_numbers "${_tb_utf8proc_lines}")
    # "UTF8PROC_VERSION_MAJOR 2" holds the 8 of the name too.
    list(REMOVE_AT _tb_utf8proc_numbers 0 2 4)
    list(JOIN _tb_utf8proc_numbers "." Utf8proc_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Utf8proc
    REQUIRED_VARS UTF8PROC_LIBRARY UTF8PROC_INCLUDE_DIR VERSION_VAR Utf8proc_VERSION
    REASON_FAILURE_MESSAGE "Debian and Ubuntu: libutf8proc-dev.")
if(Utf8proc_FOUND AND NOT TARGET Utf8proc::utf8proc)
    add_library(Utf8proc::utf8proc UNKNOWN IMPORTED)
    set_target_properties(Utf8proc::utf8proc PROPERTIES
        IMPORTED_LOCATION "${UTF8PROC_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${UTF8PROC_INCLUDE_DIR}")
endif()
mark_as_advanced(UTF8PROC_INCLUDE_DIR UTF8PROC_LIBRARY)
