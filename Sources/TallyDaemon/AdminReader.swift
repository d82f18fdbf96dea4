// Owns: history for the admin socket, on the reader's thread: entries, and one entry with all that proves it.
import TallyBase
import TallyLog
import TallyStore
import TallyWire

enum AdminReader {
  static func answer(_ read: AdminRead, _ reader: Owned<StoreReader>) -> Result<AdminReadAnswer, ReadFailure> {
    let ask = { (question: ReadRequest.Question) -> ReadResult.Answer in
      reader.use { $0.answer(ReadRequest(id: 0, question: question)) }.answer
    }
    switch read {
    case .entries(let feed, let from, let to):
      switch ask(.range(feed: feed, from: from, to: to)) {
      case .range(_, let from, let entries, _): return .success(.entries(from: from, entries))
      case .failed(let fault): return .failure(.failed(fault))
      default: return .failure(.absent)
      }
    case .proof(let feed, let index, _):
      guard case .entry(_, _, let entry) = ask(.entry(feed: feed, index: index)),
        case .head(let head) = ask(.headAtLeast(feed: feed, size: index + 1)),
        case .inclusion(_, _, _, _, let path) = ask(.inclusion(feed: feed, index: index, size: head.size))
      else { return .failure(.absent) }
      return .success(.proof(entry, head: head, path: path))
    }
  }
}
