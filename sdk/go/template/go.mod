module my-sink

go 1.24

require github.com/lockgate/lockgate/sdk/go v0.0.0

// Outside this repository: the path of your checkout.
replace github.com/lockgate/lockgate/sdk/go => ..
