// Owns: LZ4 blocks of blob leaves at rest (lz4 Block Format). Refuses to know: files.
import CLZ4

enum Compression {
  /// The LZ4 block of `bytes`; nil when it would not be shorter.
  static func shrink(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count > 1 else { return nil }
    let room = bytes.count - 1
    // Safe: LZ4 writes at most `room` bytes into `output` and reads `bytes.count`; it answers 0 when they do not do.
    let block = unsafe [UInt8](unsafeUninitializedCapacity: room) { output, count in
      let written = unsafe bytes.withUnsafeBytes { input in
        unsafe LZ4_compress_default(
          input.bindMemory(to: CChar.self).baseAddress,
          UnsafeMutableRawPointer(output.baseAddress)?.assumingMemoryBound(to: CChar.self), CInt(input.count),
          CInt(room))
      }
      count = max(Int(written), 0)
    }
    return block.isEmpty ? nil : block
  }

  /// Exactly `count` bytes from a block; nil when it does not give that.
  static func expand(_ block: [UInt8], to count: Int) -> [UInt8]? {
    // Safe: LZ4_decompress_safe never writes beyond `count` bytes nor reads beyond the block.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { output, filled in
      let written = unsafe block.withUnsafeBytes { input in
        unsafe LZ4_decompress_safe(
          input.bindMemory(to: CChar.self).baseAddress,
          UnsafeMutableRawPointer(output.baseAddress)?.assumingMemoryBound(to: CChar.self), CInt(input.count),
          CInt(count))
      }
      filled = max(Int(written), 0)
    }
    return bytes.count == count ? bytes : nil
  }
}
