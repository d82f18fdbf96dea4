// Owns: the body of `accept` (kind 7). It pays claims; it decides nothing.

import TallyBase

/// One claim and what it is paid.
public struct AcceptItem: Hashable, Sendable {
  /// Which of the entry's links names the claim.
  public let link: UInt8
  /// In the post's unit, below 2^40.
  public let amount: UInt64

  public init(link: UInt8, amount: UInt64) {
    self.link = link
    self.amount = amount
  }
}

/// | offset | size | field |
/// |---|---|---|
/// | 0 | 1 | n, 1 … 12 |
/// | 1 | 6 n | n × (link index u8, amount u40), link indexes strictly ascending |
public struct AcceptBody: Hashable, Sendable {
  public let items: [AcceptItem]

  public init(items: [AcceptItem]) {
    precondition((1...WorkLimits.acceptItemsMax).contains(items.count), "an accept of \(items.count) claims")
    precondition(
      zip(items, items.dropFirst()).allSatisfy { $0.link < $1.link }, "links of an accept must ascend: \(items)")
    self.items = items
  }

  /// Pays the claims that the entry links in this order.
  public init(amounts: [UInt64]) {
    var items: [AcceptItem] = []
    for amount in amounts { items.append(AcceptItem(link: UInt8(clamping: items.count), amount: amount)) }
    self.init(items: items)
  }

  public func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 1 + 6 * items.count)
    writer.u8(UInt8(items.count))
    for item in items {
      writer.u8(item.link)
      writer.u40(item.amount)
    }
    return writer.bytes
  }

  /// `links` is the entry's count of links: an index at or above it is refused.
  public static func decode(_ bytes: [UInt8], links: Int) throws(DecodeError) -> AcceptBody {
    var reader = ByteReader(bytes)
    let count = Int(try reader.u8())
    guard count > 0 else { throw .notCanonical(field: "items") }
    guard count <= WorkLimits.acceptItemsMax else {
      throw .aboveLimit(field: "items", value: count, limit: WorkLimits.acceptItemsMax)
    }
    var items: [AcceptItem] = []
    for _ in 0..<count {
      let item = AcceptItem(link: try reader.u8(), amount: try reader.u40())
      if let last = items.last, last.link >= item.link { throw .notCanonical(field: "items") }
      guard Int(item.link) < links else { throw .aboveLimit(field: "link", value: Int(item.link), limit: links - 1) }
      items.append(item)
    }
    try reader.finish()
    return AcceptBody(items: items)
  }
}
