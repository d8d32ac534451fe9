# What the HTML report inlines, compiled into the module `report`: uPlot (pinned below
# third_party/uplot) and our own script and style. TB_UPLOT_DIR may name another copy's dist folder.
set(_tb_uplot "${CMAKE_SOURCE_DIR}/third_party/uplot/node_modules/uplot/dist")
if(NOT EXISTS "${_tb_uplot}/uPlot.iife.min.js" AND NOT TB_UPLOT_DIR)
    message(FATAL_ERROR "uPlot is missing: run `npm ci --ignore-scripts` in third_party/uplot "
        "(./tb does), or set TB_UPLOT_DIR")
endif()
set(TB_UPLOT_DIR "${_tb_uplot}" CACHE PATH "Folder of uPlot.iife.min.js and uPlot.min.css")

set(_tb_assets "${CMAKE_BINARY_DIR}/generated/report_assets.cc")
set(_tb_asset_files
    "${TB_UPLOT_DIR}/uPlot.iife.min.js" "${TB_UPLOT_DIR}/uPlot.min.css"
    "${CMAKE_SOURCE_DIR}/third_party/uplot/UPLOT-LICENSE"
    "${CMAKE_SOURCE_DIR}/src/report/assets/report.js"
    "${CMAKE_SOURCE_DIR}/src/report/assets/report.css")
add_custom_command(OUTPUT "${_tb_assets}"
    COMMAND "${CMAKE_COMMAND}" "-DOUT=${_tb_assets}" "-DFILES=${_tb_asset_files}"
        -P "${CMAKE_CURRENT_LIST_DIR}/TbEmbed.cmake"
    DEPENDS ${_tb_asset_files} "${CMAKE_CURRENT_LIST_DIR}/TbEmbed.cmake"
    VERBATIM)
target_sources(tb_report PRIVATE "${_tb_assets}")
