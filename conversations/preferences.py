"""Where sessions find the sign-in backend: they store this path, so another one would sign everybody out."""

from conversations.people.sign_in_backend import Backend as Backend
