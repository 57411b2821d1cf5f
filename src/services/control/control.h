#pragma once
// The control service: wolke's own operations, below /_wolke/, behind the same gate as every other
// service (signing name "wolke", actions wolke:ListEvents, wolke:ListInstances). Each caller sees
// its own account.

#include "wolke/async/loop.h"
#include "wolke/invoke/invoke.h"
#include "wolke/operation/operation.h"
#include "wolke/store/store.h"

namespace wolke::control {

/// Lifetime: both outlive the service.
struct Control {
  store::Store& store;
  invoke::Invoker& invoker;
};

/// `control` may be nullptr when only the catalogue of operations is wanted.
operation::ServiceTable control_table(Control* control);

}  // namespace wolke::control
