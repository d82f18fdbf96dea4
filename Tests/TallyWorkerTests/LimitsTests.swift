import Testing
@testable import TallyWorker
