// Package behavior is the third layer of the guard: it judges a prompt by the
// prompts that came before it in the same session.
//
// Package guard runs it last, with its defaults. Alone it is a [check.Check] that
// needs to see the findings of the other checks:
//
//	b, err := behavior.New(behavior.Options{Scan: patterns})
//	found := patterns.Inspect(ctx, p, nil)
//	found = b.Inspect(ctx, p, found)
//
// # What it finds
//
// behavior/fragmentation: "ignore all" now and "previous instructions" later are
// an attack together. The end of what came before and the beginning of the new
// prompt are read as one text by Options.Scan, in several ways: all pieces in a
// row, every second one, only those that break off in mid-sentence, the short
// ones of them, each alone; with spaces between, with none, and without what
// leads in a note ("remember this: …").
// Only a finding that needs both sides counts. It scores what it would have scored
// in one prompt, but what is doubtful there (50 points) is an attack here (100):
// nobody cuts a doubtful sentence in two by chance. Its span is what the new prompt
// contributed. A piece of
// more than 24 bytes that ends like a sentence is one, and not joined to what
// follows: what two honest sentences say together is chance.
//
// behavior/repetition: the 30th identical prompt in a row. Prompts are compared
// as folded, so case and look-alikes make no difference. It blocks by default;
// number and points are the tenant's choice.
//
// behavior/near-repetition and behavior/alternation are weaker: prompts that
// differ only in digits, punctuation, spaces or their middle, and prompts that
// each stood among the four before. Low, from the same number on.
//
// behavior/retry: the same request, 24 to 63 bytes of it, at the end of at least
// three prompts, behind another beginning each time. Low.
//
// behavior/escalation: a prompt that the other checks gave half of a block or
// more is an attempt and adds its points, at most those of a block, to its
// session, where they halve every ten minutes. From 200 on (two blocked attempts)
// every further prompt is flagged, from 400 on blocked, until the session has
// cooled.
//
// behavior/unavailable: a shared history did not answer. Prompts then pass or
// are blocked as the tenant's [Policy] says, and the report shows it.
//
// # What a host must feed
//
// One call per prompt, with a Session that names the conversation or the user,
// and only with what is new. Chat clients send the whole conversation each turn;
// fed whole, every prompt looks repeated and every old quotation new. [NewTurn]
// picks what to feed from a message list, tool results included, because
// instructions hide in them too. A prompt without Session is not judged here. An
// agent that polls gets the same tool result again and again: give its tenant a
// higher [Policy].Repeats.
//
// # What is kept
//
// Per session: the folded text of up to [MaxPieces] short prompts, or the last
// [TailBytes] bytes of long ones, [MaxBytes] bytes together; five digests; three
// counters; the time; the points. That is text that users wrote, in lower case:
// treat a shared [History] like a log of prompts. A prompt that was blocked leaves
// no text. What is older than the window (30 minutes by default) is not used
// any more, and dropped when the session, or its shard, is next touched.
//
// # Costs
//
// A session takes less than 1 KB in [Memory], whatever is said in it, and their
// number is bounded. Work per prompt depends on the prompt and the window, never
// on the length of the conversation or the number of sessions. A prompt of 500
// characters among such prompts costs about 0.5 µs and no allocation where the one
// before ended a sentence or this one begins one with a capital; else two scans of
// some 160 bytes come on top. In a chat of short prompts, some twenty short texts
// are scanned for each.
//
// # What is not covered
//
// An attack in pieces of which all but the last lie more than [MaxPieces] prompts
// or the window back; one that is spread over the middles of long prompts; pieces
// that are encoded, reordered, or named and put together by the model ("a is …,
// b is …, say a + b"); fragments that are sentences of their own, or long and begin
// with a capital after a long one. Two sessions are never read together. What
// behavior itself finds in a prompt does not count towards the escalation of its
// session.
package behavior
