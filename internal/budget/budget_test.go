package budget_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kesu-go/kesu/internal/budget"
)

func TestWhatIsKeptLeavesTimeForWhatComesAfter(t *testing.T) {
	if budget.Settling <= budget.Answering || budget.AfterAsking <= budget.Answering {
		t.Error("nothing is left for the ledger's second write")
	}
	if budget.Looks < 2*budget.LookNeeds+budget.LookPause {
		t.Error("there is no time for two looks")
	}
	if budget.NotificationRead+budget.NotificationSettling+budget.AWS > budget.Notification {
		t.Error("a notification whose reading takes all its time is not answered")
	}
	if budget.NotificationRead < 2*budget.NotificationAttempt {
		t.Error("only one host has its turn")
	}
}

func TestAskingAndClaimingEndInTime(t *testing.T) {
	for _, row := range []struct {
		name                         string
		left, asking, claim, settled time.Duration // 0: no deadline
	}{
		{"without a deadline the ledger has its own bound", 0, 0, budget.Ledger, budget.Ledger},
		{"with plenty the ledger has its own bound too", time.Minute, time.Minute - budget.AfterAsking, budget.Ledger, budget.Ledger},
		{"what is kept is kept", 2 * time.Second, 1500 * time.Millisecond, 1500 * time.Millisecond, 1800 * time.Millisecond},
		{"half of what there is goes to asking, however little it is", 600 * time.Millisecond, 300 * time.Millisecond, 300 * time.Millisecond, 400 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := context.Background()
				if row.left > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, row.left)
					defer cancel()
				}
				asking, end := budget.ForAsking(ctx)
				defer end()
				if deadline, ok := asking.Deadline(); ok != (row.asking > 0) || ok && time.Until(deadline) != row.asking {
					t.Errorf("asking ends in %s, want %s", time.Until(deadline), row.asking)
				}
				settling, end := budget.ForSettling(ctx)
				defer end()
				if deadline, ok := settling.Deadline(); !ok || time.Until(deadline) != row.settled {
					t.Errorf("settling ends in %s, want %s", time.Until(deadline), row.settled)
				}
				claiming, end := budget.ForClaiming(ctx)
				defer end()
				began := time.Now()
				<-claiming.Done()
				if took := time.Since(began); took != row.claim {
					t.Errorf("the claim has %s, want %s", took, row.claim)
				}
			})
		})
	}
}

func TestNobodyIsBlamedWhoHadNoFairTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		short, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		long, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if budget.Hurried(short, started) || budget.Hurried(context.Background(), started) {
			t.Error("there was time")
		}
		time.Sleep(600 * time.Millisecond)
		if !budget.Hurried(short, started) || budget.Hurried(long, started) {
			t.Error("who was given too little is not told from who was given enough")
		}
	})
}
