#include "wolke/app/catalogue.h"

#include <algorithm>

#include "wolke/services/control/control.h"
#include "wolke/services/iam/iam.h"
#include "wolke/services/lambda/lambda.h"
#include "wolke/services/logs/logs.h"
#include "wolke/services/s3/s3.h"
#include "wolke/services/sts/sts.h"

namespace wolke::app {

std::vector<std::string> served_operations() {
  std::vector<std::string> out;
  for (const operation::ServiceTable& table :
       {s3::s3_table(nullptr), lambda::lambda_table(nullptr), iam::iam_table(nullptr),
        sts::sts_table(nullptr), logs::logs_table(nullptr), control::control_table(nullptr)}) {
    for (const operation::Row& row : table.rows) {
      out.push_back(std::string(table.model->name) + " " + std::string(row.operation->name));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace wolke::app
