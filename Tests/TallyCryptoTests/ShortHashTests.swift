// Leaf and node hashes take a short way of their own below 119 bytes: it must give what the long way gives.

import TallyBase
import TallyCrypto
import Testing

struct ShortHashTests {
  @Test func leaf_hashes_of_every_size_around_the_block_ends_equal_the_stream() {
    for count in 0...300 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + count) }
      var stream = SHA256Stream()
      stream.update([0])
      stream.update(bytes)
      #expect(SHA256Hash.leaf(bytes) == stream.finish(), "\(count) bytes")
    }
  }

  @Test func a_node_hash_equals_the_stream() {
    let left = SHA256Hash.hash([1])
    let right = SHA256Hash.hash([2])
    var stream = SHA256Stream()
    stream.update([1] + left.bytes + right.bytes)
    #expect(SHA256Hash.node(left, right) == stream.finish())
  }
}
