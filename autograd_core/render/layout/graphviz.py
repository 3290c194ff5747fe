"""placeholder"""


def arrange_with_dot(view, rooms, titles):
    return None
