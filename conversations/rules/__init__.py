"""Decisions without I/O: statuses and reasons, which end wins, who counts as a viewer, what fits into a send window.

Nothing here reads a database, a socket, a setting or a clock: callers pass times and limits in. Of Django, only choices
and translations are used. `frame_size` and `endpoint_url` use nothing of Django at all, because
`chatapp.installation_settings` imports them before Django is set up.
"""
