#pragma once
// The control service: wolke's own operations, below /_wolke/, behind the same gate as every other
// service (signing name "wolke", an action for each operation). Each caller reaches its own
// account.

#include "wolke/async/loop.h"
#include "wolke/async/pool.h"
#include "wolke/base/env.h"
#include "wolke/deliver/deliverer.h"
#include "wolke/invoke/invoke.h"
#include "wolke/operation/operation.h"
#include "wolke/store/store.h"

namespace wolke::control {

/// Lifetime: all of it outlives the service.
struct Control {
  Env env;
  store::Store& store;
  async::Pool& pool;
  async::Loop& loop;
  invoke::Invoker& invoker;
  deliver::Deliverer& deliverer;
};

/// `control` may be nullptr when only the catalogue of operations is wanted.
operation::ServiceTable control_table(Control* control);

}  // namespace wolke::control
