#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace regroup::search {

/// One integer of a candidate: a head's group label, a layer's choice, a bit.
using Gene = std::uint16_t;

/// Candidates of equal length, one row each, in one block of memory.
class Genomes {
 public:
  explicit Genomes(std::size_t genes) : genes_(genes) {}

  std::size_t genes() const { return genes_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<Gene> operator[](std::size_t i) { return {data_.data() + i * genes_, genes_}; }
  std::span<const Gene> operator[](std::size_t i) const {
    return {data_.data() + i * genes_, genes_};
  }
  void append(std::span<const Gene> genome) {
    data_.insert(data_.end(), genome.begin(), genome.end());
    ++size_;
  }
  /// Appends zeros and returns the new row.
  std::span<Gene> append_blank() {
    data_.resize(data_.size() + genes_);
    return (*this)[size_++];
  }
  void clear() {
    data_.clear();
    size_ = 0;
  }
  bool operator==(const Genomes&) const = default;

 private:
  std::size_t genes_;
  std::size_t size_ = 0;
  std::vector<Gene> data_;
};

}  // namespace regroup::search
