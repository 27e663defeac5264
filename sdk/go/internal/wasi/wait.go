//go:build wasip1

package wasi

import (
	"context"
	"os"
	"runtime"
	"time"
	"unsafe"
)

// sliceMax is how long all goroutines may stand still while they wait for the host: timers and cancellation are late by no more.
const sliceMax = 50 * time.Millisecond

// Limit is what ends a wait early. It is looked at again and again: another goroutine may set a deadline, or close.
type Limit struct {
	Ctx context.Context
	// Deadline may be nil or zero: none.
	Deadline *time.Time
	// Closed may be nil.
	Closed *bool
}

// left is how long the wait may go on, or why it may not.
func (l Limit) left() (time.Duration, error) {
	if l.Closed != nil && *l.Closed {
		return 0, os.ErrClosed
	}
	if err := l.Ctx.Err(); err != nil {
		return 0, err
	}
	slice := sliceMax
	if l.Deadline != nil && !l.Deadline.IsZero() {
		if slice = min(slice, time.Until(*l.Deadline)); slice <= 0 {
			return 0, os.ErrDeadlineExceeded
		}
	}
	if end, has := l.Ctx.Deadline(); has {
		if slice = min(slice, time.Until(end)); slice <= 0 {
			return 0, context.DeadlineExceeded
		}
	}
	return slice, nil
}

type waiter struct {
	pollable uint32
	ready    bool
}

// waiting are the goroutines that wait, the longest first. The first of them asks the host for all.
var waiting []*waiter

// Wait waits until a pollable is ready, and gives it back. It ends earlier with the limit's error. Other goroutines go on meanwhile.
func Wait(limit Limit, pollable uint32) error {
	w := &waiter{pollable: pollable}
	waiting = append(waiting, w)
	defer w.leave()
	for {
		slice, err := limit.left()
		if err != nil {
			return err
		}
		// Whoever can do something does it first; then nobody is kept by a host that waits.
		runtime.Gosched()
		if !w.ready && waiting[0] == w {
			pollAll(slice)
		}
		if w.ready {
			return nil
		}
	}
}

func (w *waiter) leave() {
	for at := range waiting {
		if waiting[at] == w {
			waiting = append(waiting[:at], waiting[at+1:]...)
			break
		}
	}
	dropPollable(w.pollable)
}

// pollAll waits until any pollable is ready, for a while at most.
func pollAll(most time.Duration) {
	timer := subscribeDuration(uint64(most))
	handles := make([]uint32, 0, 16)
	for _, w := range waiting {
		handles = append(handles, w.pollable)
	}
	handles = append(handles, timer)
	borrow()
	ioPoll(unsafe.Pointer(unsafe.SliceData(handles)), uint32(len(handles)), area())
	for _, at := range listOf[uint32](0) {
		if int(at) < len(waiting) {
			waiting[at].ready = true
		}
	}
	giveBack()
	dropPollable(timer)
}
