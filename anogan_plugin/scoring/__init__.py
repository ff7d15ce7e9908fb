# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""Images in, raw scores out: one interface to whatever scores them."""
