"""One run over many boxes: workers on other machines behind the controller's ``Box``, over SSH and Dask (the extra
``fleet``). Nothing else may import what that brings.
"""
