// Package audit keeps what happened: one record a request, in files that only
// grow, each record encrypted and bound to the one before it.
//
//	log, err := audit.Open(audit.Options{Dir: "/var/lib/gateway/audit", Key: key})
//	err = log.Append(audit.Record{Tenant: "acme", KeyID: "k7", Model: "gpt-oss:120b", Status: 200, …})
//	…
//	result, err := audit.Verify(dir, key)
//	report, err := audit.NewReport(dir, audit.Filter{Tenant: "acme", From: may, To: june}, key)
//
// # What is on disk
//
// A folder of segments, audit-00000001.jsonl and so on, named after the number of
// their first record, and a file named head. A line of a segment is
//
//	{"seq":7,"prev":"…","key":"…","data":"…","hash":"…"}
//
// where data is the record, encrypted with AES-256-GCM under a random nonce and
// bound to seq and prev, prev is the hash of the line before, and hash the SHA-256
// of this one. The head names both ends of the log under an HMAC: the last record
// that was synced, and the first that was not pruned.
//
// One [Log] at a time has a folder open; the lock ends with the process. Verify
// and the reports read a folder that is open as well as one that is not.
//
// # What Verify finds
//
// Any change to a byte, any line that is missing, added, moved or taken from
// another log, a segment that is missing, swapped, renamed or there twice, either
// end cut off, and a head that was changed or removed. A [Problem] says where.
//
// What it cannot tell: records after the head ([Result].Unsynced says how many
// there are) may have been lost to a crash or cut off, which look the same;
// whoever can write the folder can put back an older copy of it, with its own
// head; and whoever holds the key can write another history. Sync at every record,
// keep the key elsewhere, and note [Result].LastHash outside now and then, as far
// as that matters.
//
// [Open] refuses a log whose end was cut off or whose head is not its own: going
// on would cover it. Keep such a folder, and begin a new one.
//
// # After a crash
//
// Open drops a last line that was only half written, and says so in a record.
// What was appended since the last sync may be missing; [Options].SyncEvery says
// how much that can be, and zero means nothing. How many records a full disk cost
// is noted as soon as it has room again; a crash before that takes the number
// along, and [Options].OnFailure or the error of Append is all that told of them.
//
// # Keys
//
// To change the key, open the log with the new one as Key and those before it in
// Old, and give all of them to Verify. Change it well before 2^32 records (see
// [Key]). A record is lost with its key, and with it the proof of the records.
//
// # Retention
//
// [Log.Prune] removes segments of which every record is old enough, appends a stub
// that says which records went, and moves the head: the chain still verifies, and
// nobody without the key can remove a segment in silence. It verifies what it
// removes. Call it once a day or so. A segment lasts up to [Options].MaxAge, and
// goes when its youngest record may: a record stays up to that much longer.
//
// # What is not covered
//
// The texts of prompts and answers are recorded only if a host puts them in:
// digests are enough to prove what was said to someone who has the text. Texts
// are cut at 2 MiB and names at 1 KiB. There is no index: what reads the log reads
// it from its beginning, in memory that does not grow with it.
package audit
