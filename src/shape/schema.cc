#include "wolke/shape/schema.h"

#include <new>
#include <utility>

namespace wolke::shape {

Value::Value(const Type& type) : type_(&type), data_(::operator new(type.bytes)) {
  type.construct(data_);
}

Value::Value(Value&& other) noexcept
    : type_(std::exchange(other.type_, nullptr)), data_(std::exchange(other.data_, nullptr)) {}

Value& Value::operator=(Value&& other) noexcept {
  if (this != &other) {
    std::swap(type_, other.type_);
    std::swap(data_, other.data_);
  }
  return *this;
}

Value::~Value() {
  if (data_ == nullptr) return;
  type_->destroy(data_);
  ::operator delete(data_);
}

}  // namespace wolke::shape
