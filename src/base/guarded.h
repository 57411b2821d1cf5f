#pragma once
// Guarded<T>: a mutex and the data it protects in one type; the data is reachable only while the
// lock is held.

#include <mutex>
#include <utility>

namespace wolke {

template <class T>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : data_(std::forward<Args>(args)...) {}

  class Lock {
   public:
    Lock(std::mutex& mutex, T& data) : lock_(mutex), data_(data) {}
    T* operator->() { return &data_; }
    T& operator*() { return data_; }
    std::unique_lock<std::mutex>& native() { return lock_; }  // for condition variables

   private:
    std::unique_lock<std::mutex> lock_;
    T& data_;
  };
  Lock lock() { return Lock(mutex_, data_); }

 private:
  std::mutex mutex_;
  T data_;
};

}  // namespace wolke
