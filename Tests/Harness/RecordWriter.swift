// Owns: a client that writes records as fast as the daemon takes them, and remembers what was acknowledged.
import TallyAdmin

public final class RecordWriter {
  private let client: AdminClient
  private var waiting: [AdminClient.Ticket] = []
  private let prefix: String
  private var written = 0
  /// What the daemon said is durable.
  public private(set) var acknowledged: [RecordResult] = []
  /// Why it stopped; nil while it goes on.
  public private(set) var failure: ClientError?
  /// Questions on their way at once.
  public static let window = 8

  public init(_ host: Host) throws {
    client = try host.connect()
    prefix = host.name
  }

  /// Asks for one more record, and takes the oldest answer when enough are on their way. False after a failure.
  @discardableResult
  public func push() -> Bool {
    guard failure == nil else { return false }
    do throws(ClientError) {
      if waiting.count >= Self.window { try takeOldest() }
      written += 1
      let words = Array("\(prefix) \(written)".utf8)
      waiting.append(try client.begin("record.put", RecordParams(words: words)))
      return true
    } catch {
      failure = error
      return false
    }
  }

  /// Takes every answer that still comes.
  public func drain() {
    do throws(ClientError) {
      while !waiting.isEmpty { try takeOldest() }
    } catch {
      if failure == nil { failure = error }
    }
  }

  private func takeOldest() throws(ClientError) {
    let result = try client.finish(waiting.removeFirst(), as: RecordResult.self)
    if result.durable { acknowledged.append(result) }
  }
}
