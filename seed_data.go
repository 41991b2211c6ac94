package main

import "lobstead/models"

var demoInstances = []demoInstance{
	{name: "support-triage", region: "eu-central-1", tier: models.Pro, saw: models.SawRunning, chats: []demoChat{
		{title: "Refund request 8841", category: "support", turns: []demoTurn{
			{ask: "Find the order of ticket 8841 and tell me whether it can be refunded.", tool: "search_files",
				input: `{"pattern":"8841","path":"orders"}`, output: "orders/2026-11.csv:204: 8841,paid,2026-11-09,49.00",
				say: "Order **8841** was paid on 9 November (49.00). It is within the 30 days, so it can be refunded."},
			{ask: "Write the answer to the customer.", tool: "write_file", input: `{"path":"replies/8841.md","content":"Dear customer,\n\nwe refund 49.00 today.\n"}`,
				output: "Wrote 41 bytes to replies/8841.md", say: "The reply is in `replies/8841.md`:\n\n> Dear customer, we refund 49.00 today."},
		}},
		{title: "Why are tickets slow this week?", category: "research", pinned: true, turns: []demoTurn{
			{ask: "Count the open tickets by day.", tool: "bash", input: `{"command":"cut -d, -f3 tickets.csv | sort | uniq -c"}`,
				output: "     12 2026-11-17\n     31 2026-11-18\n     29 2026-11-19", say: "| Day | Open |\n|---|---:|\n| 17 Nov | 12 |\n| 18 Nov | 31 |\n| 19 Nov | 29 |\n\nThe jump is on the 18th."},
		}},
	}},
	{name: "release-notes", region: "us-east-1", tier: models.Starter, saw: models.SawRunning, chats: []demoChat{
		{title: "Draft release notes for 2.4", category: "creative", turns: []demoTurn{
			{ask: "List what changed since 2.3.", tool: "bash", input: `{"command":"git log --oneline v2.3..HEAD | head -3"}`,
				output: "a81c0de queue: retry with jitter\n77f10aa pages: dark theme\n19be0c2 api: limits", say: "Three changes since 2.3:\n\n1. retries with jitter\n2. a dark theme\n3. API limits"},
		}},
	}},
	{name: "data-sync", region: "local", tier: models.Starter, saw: models.SawStopped, chats: []demoChat{
		{title: "Nightly sync", category: "automation", turns: []demoTurn{
			{ask: "Why did the nightly sync fail?", tool: "bash", input: `{"command":"tail -n 2 logs/sync.log"}`,
				output: "02:00:03 error  invalid byte 0xE9 at row 18,204\n02:00:03 stop   exit=1", say: "The export switched to `latin-1`, and the reader expects UTF-8."},
			{ask: "Fix it with the large model.", failed: true, fail: "The provider answered 429: rate limit reached, try again in 20 s"},
		}},
	}},
	{name: "crawler", region: "ap-south-1", tier: models.Pro, saw: models.SawFailure, reason: "The workspace is full: 10,240 of 10,240 MB. Delete files or choose a larger tier"},
}
