# Label `notebook`: every notebook is executed against the program just built, and so are the tests of
# the helper package. Debian's Python, whatever else is on the path.
set(notebooks ${CMAKE_SOURCE_DIR}/notebooks)
set(environment TOKENYARD_BINARY=$<TARGET_FILE:tokenyard>
    TOKENYARD_NOTEBOOK_OUT=${CMAKE_BINARY_DIR}/notebooks/results)
file(GLOB files CONFIGURE_DEPENDS ${notebooks}/*.ipynb)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WE)
  add_test(NAME Notebook.${name}
           COMMAND ${notebooks}/tests/execute.sh ${file} ${CMAKE_BINARY_DIR}/notebooks)
  list(APPEND notebook_tests Notebook.${name})
endforeach()
add_test(NAME Notebook.helper COMMAND ${notebooks}/tests/helper.sh)
set_tests_properties(Notebook.helper ${notebook_tests} PROPERTIES LABELS notebook SKIP_RETURN_CODE 77
                     TIMEOUT 300 ENVIRONMENT "${environment}")
