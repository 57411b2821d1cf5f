# wolke_model(SERVICE): target wolke_model_<service> from models/<service>.json.
function(wolke_model service)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/include/model_${service})
  add_library(wolke_model_${service} INTERFACE)
endfunction()
