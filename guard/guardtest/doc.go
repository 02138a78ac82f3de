// Package guardtest holds the contracts of the guard as tests: for a [check.Check]
// that a host program writes, and for a [behavior.History] that keeps sessions
// elsewhere.
//
//	func TestNoPhoneBook(t *testing.T) {
//		guardtest.TestCheck(t, noPhoneBook{})
//	}
//
//	func TestHistory(t *testing.T) {
//		guardtest.TestHistory(t, func(t *testing.T, window, halfLife time.Duration) behavior.History {
//			return openStore(t, window, halfLife)
//		})
//	}
//
// Run them with -race: half of what they ask for is safety under goroutines.
//
// # What is not covered
//
// Whether a check finds what it should: that needs prompts of its own. Speed:
// write a benchmark. What a history does when it cannot reach its store, beyond
// returning: only its own test can break the store.
package guardtest
